import type { z } from 'zod';
import { keysOf, schemasAt, toJsonSchema } from './json-schema.ts';
import { findNearestName } from './similar-names.ts';

/** One thing that is wrong with an input: where, what, and what would be right. */
export interface Fault {
  /** `steps[1].with.gate.metric`; empty for the whole. */
  readonly at: string;
  readonly message: string;
  /** The known name that is nearest to an unknown one. */
  readonly didYouMean?: string;
  /** What would have been accepted in its place: the first 50 names. */
  readonly known?: readonly string[];
}

export type FaultPath = readonly PropertyKey[];

/** A fault whose place is still a path, so that it can be moved. */
export interface PlacedFault extends Omit<Fault, 'at'> {
  readonly path: FaultPath;
}

type Issue = z.core.$ZodIssue;

/** An answer should not be a book, whatever was sent. */
export const maxFaults = 20;
const maxKnown = 50;
const maxTextLength = 300;

/** Formats a place. Texts are cut to 300 characters. */
export function toFault({ path, ...fault }: PlacedFault): Fault {
  return { at: shorten(formatPath(path)), ...fault, message: shorten(fault.message) };
}

/**
 * `['rows', 3, 'origin']` → `rows[3].origin`.
 *
 * @example
 * formatPath(['steps', 1, 'with', 'gate']) // 'steps[1].with.gate'
 */
export function formatPath(path: FaultPath): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

/** The faults of a value that a schema refused, one for each unknown key: about the first 20 issues. */
export function toFaults(
  schema: z.ZodType,
  value: unknown,
  issues: readonly Issue[],
  prefix: FaultPath = [],
): readonly PlacedFault[] {
  return issues.slice(0, maxFaults).flatMap((issue) => describeIssue(schema, value, issue, prefix));
}

function describeIssue(
  schema: z.ZodType,
  value: unknown,
  issue: Issue,
  prefix: FaultPath,
): readonly PlacedFault[] {
  const path = [...prefix, ...issue.path];
  const asFound = [{ path, message: issue.message }];
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemasAt(toJsonSchema(schema, 'input'), path));
    const holder = valueAt(value, path);
    const isFree = (key: string) => !isObject(holder) || !Object.hasOwn(holder, key);
    return issue.keys.slice(0, maxFaults).map((key) => ({
      path: [...path, key],
      ...describeUnknown(`${quote(key)} is unknown`, key, known, known.filter(isFree)),
    }));
  }
  if (issue.code === 'invalid_union') {
    const nearest = pickBranch(issue.errors);
    if (nearest) return toFaults(schema, value, nearest, path);
  }
  if (issue.code !== 'invalid_union' && issue.code !== 'invalid_value') return asFound;
  const given = valueAt(value, path);
  const known = schemasAt(toJsonSchema(schema, 'input'), path)
    .flatMap((place) => place.enum ?? place.const)
    .filter((each) => typeof each === 'string');
  if (typeof given !== 'string' || known.length === 0) return asFound;
  return [{ path, ...describeUnknown(`${quote(given)} is unknown`, given, known) }];
}

/** The alternative that the value comes nearest to: one of the right type, with the fewest faults. */
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
): Omit<Fault, 'at'> {
  const didYouMean = findNearestName(name, candidates);
  const remedy = didYouMean === undefined ? '.' : `; did you mean ${quote(didYouMean)}?`;
  return {
    message: `${message}${remedy}${known.length === 0 ? '' : ` Known: ${known.join(', ')}.`}`,
    ...(didYouMean === undefined ? {} : { didYouMean }),
    ...(known.length === 0 ? {} : { known: known.slice(0, maxKnown) }),
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
