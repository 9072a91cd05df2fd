import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import { describeIssue } from './faults.ts';

/** The limit of Protobuf's JSON reader. */
const maxDepth = 100;

type Fields = Record<string, unknown>;

/**
 * Reads a request as MLflow does (Protobuf's JSON): accepts snake_case and camelCase, null for absent, int64 as number
 * or text, and `run_uuid` for `run_id`; ignores unknown members. A query string repeats a parameter for a list; of
 * other repeated parameters the first counts.
 *
 * @param given the parsed JSON body, or the query
 * @param params path parameters, which take precedence
 * @param source the text of the body, for quoting numbers as they were written
 * @throws INVALID_ARGUMENT in MLflow's words, which its clients match
 * @see https://protobuf.dev/programming-guides/json/
 */
export function readMessage<Message>(
  schema: z.ZodType<Message>,
  given: unknown,
  params: Readonly<Record<string, string>> = {},
  source?: string,
): Message {
  const fields = given instanceof URLSearchParams ? readQuery(given, schema) : normalize(given, 0);
  if (!isFields(fields)) throw new AppError('INVALID_ARGUMENT', 'The request body must be a JSON object.');
  const message: Fields = { ...fields, ...params };
  const { run_id, run_uuid } = message;
  if ((run_id === undefined || run_id === '') && run_uuid !== undefined) message['run_id'] = run_uuid;
  const result = schema.safeParse(message);
  if (result.success) return result.data;
  throw new AppError('INVALID_ARGUMENT', describeIssue(result.error.issues[0]!, message, source));
}

function readQuery(query: URLSearchParams, schema: z.ZodType): Fields {
  const { shape } = schema as { readonly shape?: Readonly<Record<string, z.ZodType>> };
  const fields = new Map<string, unknown>();
  for (const name of new Set(query.keys())) {
    const field = toSnake(name);
    const schemaOfField = shape && Object.hasOwn(shape, field) ? shape[field] : undefined;
    if (!fields.has(field)) fields.set(field, isList(schemaOfField) ? query.getAll(name) : query.get(name));
  }
  return Object.fromEntries(fields);
}

/**
 * Converts members to snake_case and drops null ones. MLflow's messages have no maps with users' keys, so every name is
 * the protocol's. Copies only what changes, because large messages are usually normal already.
 */
function normalize(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (depth > maxDepth)
    throw new AppError('INVALID_ARGUMENT', `The request body is nested more than ${maxDepth} deep.`);
  if (Array.isArray(value)) return normalizeItems(value, depth);
  const fields = value as Fields;
  let changed: [string, unknown][] | undefined;
  const names = Object.keys(fields);
  for (const [index, name] of names.entries()) {
    const field = fields[name];
    const normal = normalize(field, depth + 1);
    const snake = toSnake(name);
    if (snake !== name && Object.hasOwn(fields, snake))
      throw new AppError(
        'INVALID_ARGUMENT',
        `The request body contains both '${snake}' and '${name}': keep one.`,
      );
    if (!changed && (snake !== name || normal !== field || normal === null))
      changed = names.slice(0, index).map((earlier) => [earlier, fields[earlier]]);
    if (normal !== null) changed?.push([snake, normal]);
  }
  return changed ? Object.fromEntries(changed) : fields;
}

function normalizeItems(items: readonly unknown[], depth: number): readonly unknown[] {
  const normal = items.map((item) => normalize(item, depth + 1));
  return normal.some((item, index) => item !== items[index]) ? normal : items;
}

function toSnake(name: string): string {
  return /[A-Z]/.test(name) ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name;
}

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** A string, which can be empty. */
export const text = () =>
  z.string('Value must be a string').refine((value) => value.isWellFormed(), 'Value must be valid Unicode');

/** A required string: MLflow treats an empty one as missing. */
export const requiredText = () => text().min(1);

/**
 * An integer, as number or text (`3`, `"3"`, `3.0`, `"3.0"`). Integers beyond 2^53, which a number cannot hold exactly,
 * are refused instead of rounded.
 */
export const int64 = () =>
  z.unknown().transform((value, { issues }) => {
    const number = typeof value === 'string' && isNumeral(value) ? Number(value) : value;
    if (Number.isSafeInteger(number)) return number as number;
    issues.push({ code: 'custom', message: 'Value must be an integer', input: value });
    return z.NEVER;
  });

/** A number, or one as text; "NaN", "Infinity" and "-Infinity" as text. */
export const double = () =>
  z.unknown().transform((value, { issues }) => {
    if (typeof value === 'number') return value;
    if (value === 'NaN') return Number.NaN;
    if (typeof value === 'string' && (isNumeral(value) || /^-?Infinity$/.test(value))) return Number(value);
    issues.push({ code: 'custom', message: 'Value must be a number', input: value });
    return z.NEVER;
  });

/** Excludes hexadecimal, empty and padded texts, which `Number` accepts. */
function isNumeral(value: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value);
}

/** A boolean; "true" and "false" as text. */
export const flag = () =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^(?:true|false)$/i.test(value) ? /^t/i.test(value) : value),
    z.boolean("Value must be 'true' or 'false'"),
  );

/** Marks lists, for reading query strings. */
const listInput = z.unknown();

/** A list; in a query string, a repeated parameter. */
export const repeated = <T>(item: z.ZodType<T>) => z.pipe(listInput, z.array(item, 'Value must be a list'));

function isList(schema: z.ZodType | undefined): boolean {
  const def = schema?.def as { readonly innerType?: z.ZodType; readonly in?: z.ZodType } | undefined;
  return def !== undefined && (def.in === listInput || isList(def.innerType ?? def.in));
}

/** `[{key, value}]`, MLflow's maps. */
export const keyValues = () => repeated(z.object({ key: requiredText(), value: text().default('') }));
