import { z } from 'zod';
import { AppError } from '../core/errors.ts';

/**
 * Reads a request as MLflow does (protobuf's JSON): members in snake_case or camelCase, null for absent, int64 as
 * number or text, unknown members ignored; a query string says lists by repetition.
 *
 * @param given the parsed JSON body, or the query
 * @throws INVALID_ARGUMENT in the words that MLflow's clients look for
 */
export function readMessage<Message>(
  schema: z.ZodType<Message>,
  given: unknown,
  params: Readonly<Record<string, string>> = {},
): Message {
  const fields = given instanceof URLSearchParams ? readQuery(given) : toSnakeCase(given);
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields))
    throw new AppError('INVALID_ARGUMENT', 'The request body must be a JSON object.');
  const message: Record<string, unknown> = { ...fields, ...params };
  const result = schema.safeParse(message);
  if (result.success) return result.data;
  throw new AppError('INVALID_ARGUMENT', describeIssue(result.error.issues[0]!, message));
}

function readQuery(query: URLSearchParams): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    fields[toSnake(name)] = values.length === 1 ? values[0] : values;
  }
  return fields;
}

/** MLflow's messages hold no maps with names of the user's, so every name is the protocol's. */
function toSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSnakeCase);
  if (value === null || typeof value !== 'object') return value;
  const fields: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value))
    if (member !== null) fields.push([toSnake(name), toSnakeCase(member)]);
  return Object.fromEntries(fields);
}

function toSnake(name: string): string {
  return /[A-Z]/.test(name) ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name;
}

function describeIssue(issue: z.core.$ZodIssue, message: Record<string, unknown>): string {
  const { path } = issue;
  const name = path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
  const value = path.reduce<unknown>(
    (inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key],
    message,
  );
  const isMissing = value === undefined || (value === '' && issue.code === 'too_small');
  if (isMissing)
    return `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`;
  return `Invalid value ${shorten(JSON.stringify(value))} for parameter '${name}' supplied: ${issue.message}`;
}

function shorten(text: string): string {
  return text.length > 250 ? `${text.slice(0, 250)}...` : text;
}

/** A string that may be empty. */
export const text = () => z.string('Value must be a string');

/** A string that must be there: for MLflow an empty one is a missing one. */
export const requiredText = () => text().min(1);

/** A whole number, as a number or as text; the answer is a number. */
export const int64 = () =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : value),
    z.int('Value must be an integer'),
  );

/** A number; "NaN", "Infinity" and "-Infinity" as text. */
export const double = () =>
  z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    if (value === 'NaN') return NaN;
    const number = value.trim() === '' ? NaN : Number(value);
    return Number.isNaN(number) ? value : number;
  }, z.custom<number>((value) => typeof value === 'number', 'Value must be a number'));

/** A boolean; "true" and "false" as text. */
export const flag = () =>
  z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean('Value must be true or false'),
  );

/** A list; one value of a query string stands for a list of one. */
export const repeated = <T>(item: z.ZodType<T>) =>
  z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(item, 'Value must be a list'),
  );

/** `[{key, value}]`, MLflow's maps. */
export const keyValues = () => repeated(z.object({ key: requiredText(), value: text().default('') }));
