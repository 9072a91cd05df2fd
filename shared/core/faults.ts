import { z } from 'zod';
import { keysOf, schemasAt, toJsonSchema } from './json/json-schema.ts';
import { findNearestName } from './names/similar-names.ts';

/** One problem of an input: its place, a message and, for unknown names, suggestions. */
export const faultSchema = z.object({
  at: z.string().describe('The place, such as `steps[1].with.gate.metric`; empty for the whole input.'),
  message: z.string(),
  didYouMean: z.string().optional().describe('The nearest known name.'),
  known: z.array(z.string()).optional().describe('The accepted names, at most 50.'),
});
export type Fault = Readonly<z.infer<typeof faultSchema>>;

export type FaultPath = readonly PropertyKey[];

/** A fault whose place is a path, so that a caller can add a prefix. */
export interface PlacedFault {
  readonly path: FaultPath;
  readonly message: string;
  readonly didYouMean?: string;
  readonly known?: readonly string[];
}

type Issue = z.core.$ZodIssue;

/** Bounds the size of an answer, whatever the input. */
export const maxFaults = 20;
const maxKnown = 50;
const maxTextLength = 300;

/** Formats a fault. Cuts texts to 300 characters. */
export function toFault({ path, message, didYouMean, known }: PlacedFault): Fault {
  return {
    at: shorten(formatPath(path)),
    message: shorten(message),
    ...(didYouMean === undefined ? {} : { didYouMean }),
    ...(known === undefined ? {} : { known: known.slice(0, maxKnown) }),
  };
}

/**
 * Formats a path.
 *
 * @example
 * formatPath(['steps', 1, 'with', 'gate']) // 'steps[1].with.gate'
 */
export function formatPath(path: FaultPath): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

/**
 * The fault of an unknown name, with the nearest known name.
 *
 * @param message a sentence without a full stop
 * @example
 * unknownName(['uses'], 'There is no step "trian"', 'trian', ['train']).message // 'There is no step "trian"; did you mean "train"? Known: train.'
 */
export function unknownName(
  path: FaultPath,
  message: string,
  name: string,
  known: readonly string[],
): PlacedFault {
  return { path, ...describeUnknown(message, name, known) };
}

/**
 * Converts the issues of a schema into faults, one per unknown key, for about the first 20 issues.
 *
 * @param prefix the path of the value within the input
 */
export function toFaults(
  schema: z.ZodType,
  value: unknown,
  issues: readonly Issue[],
  prefix: FaultPath = [],
): readonly PlacedFault[] {
  const described = describeIssues({ schema, value }, issues, []);
  return described.map((fault) => ({ ...fault, path: [...prefix, ...fault.path] }));
}

interface Refused {
  readonly schema: z.ZodType;
  readonly value: unknown;
}

function describeIssues(refused: Refused, issues: readonly Issue[], base: FaultPath): readonly PlacedFault[] {
  return issues.slice(0, maxFaults).flatMap((issue) => describeIssue(refused, issue, base));
}

/**
 * @param base the path that the issue's path is relative to: issues of a union's alternatives are relative to the union
 */
function describeIssue(refused: Refused, issue: Issue, base: FaultPath): readonly PlacedFault[] {
  const path = [...base, ...issue.path];
  const given = valueAt(refused.value, path);
  const places = () => schemasAt(toJsonSchema(refused.schema, 'input'), path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(places());
    const isFree = (key: string) => !isObject(given) || !Object.hasOwn(given, key);
    return issue.keys.slice(0, maxFaults).map((key) => ({
      path: [...path, key],
      ...describeUnknown(`${quote(key)} is unknown`, key, known, known.filter(isFree)),
    }));
  }
  if (issue.code === 'invalid_type' && given === undefined)
    return [{ path, message: `Missing: expected ${issue.expected}.` }];
  if (issue.code === 'invalid_union') {
    const nearest = pickBranch(issue.errors);
    if (nearest) return describeIssues(refused, nearest, path);
  }
  const asFound = [{ path, message: issue.message }];
  if ((issue.code !== 'invalid_union' && issue.code !== 'invalid_value') || typeof given !== 'string')
    return asFound;
  const known = places()
    .flatMap((place) => place.enum ?? place.const)
    .filter((each) => typeof each === 'string');
  if (known.length === 0) return asFound;
  return [{ path, ...describeUnknown(`${quote(given)} is unknown`, given, known) }];
}

/** Picks the nearest alternative: the one of the right type with the fewest faults. */
function pickBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const isOfType = (issues: readonly Issue[]) =>
    issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys');
  const [first] = branches.filter(isOfType).sort((a, b) => a.length - b.length);
  return first;
}

function describeUnknown(
  message: string,
  name: string,
  known: readonly string[],
  candidates = known,
): Omit<PlacedFault, 'path'> {
  const didYouMean = findNearestName(name, candidates);
  const remedy = didYouMean === undefined ? '.' : `; did you mean ${quote(didYouMean)}?`;
  return {
    message: `${message}${remedy}${known.length === 0 ? '' : ` Known: ${known.join(', ')}.`}`,
    ...(didYouMean === undefined ? {} : { didYouMean }),
    ...(known.length === 0 ? {} : { known }),
  };
}

function valueAt(value: unknown, path: FaultPath): unknown {
  return path.reduce<unknown>(
    (holder, key) => (isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined),
    value,
  );
}

function isObject(value: unknown): value is Readonly<Record<PropertyKey, unknown>> {
  return typeof value === 'object' && value !== null;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

function shorten(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
}
