import type {
  ComparisonTest,
  FieldPath,
  Filter,
  MatchFilter,
  Scalar,
} from '../../../platform/storage/documents.ts';
import { unindexedMembers } from '../../../platform/storage/document-query-rules.ts';
import type { FieldType, IndexValue } from './fields.ts';
import { compareIndexValues, mayBeCut, pathName, toIndexValue } from './fields.ts';

interface Bound {
  readonly value: number | string;
  readonly inclusive: boolean;
}

/** A contiguous range of an index: a path, a type, and bounds on the value. */
export interface FieldRange {
  readonly path: string;
  readonly type: FieldType;
  readonly lower?: Bound;
  readonly upper?: Bound;
}

/**
 * A union of ranges that contains every matching document, and possibly others. Empty when no document can match.
 */
export type Driver = readonly FieldRange[];

/**
 * Finds the index ranges that a filter restricts the matches to, one driver per conjunct. Intersects the conditions on
 * a field: `0.5 < auc and auc < 0.9` is one range.
 */
export function findDrivers(filter: Filter): readonly Driver[] {
  const single = new Map<string, FieldRange>();
  const drivers: Driver[] = [];
  for (const driver of collect(filter)) {
    const range = driver[0];
    if (driver.length !== 1 || range === undefined) {
      drivers.push(driver);
      continue;
    }
    const known = single.get(range.path);
    const joined = known === undefined ? range : intersect(known, range);
    if (joined === undefined) return [[]];
    single.set(range.path, joined);
  }
  return [...drivers, ...[...single.values()].map((range) => [range])];
}

function collect(filter: Filter): readonly Driver[] {
  switch (filter.op) {
    case 'and':
      return filter.filters.flatMap((part) => collect(part));
    case 'or': {
      const parts = filter.filters.map((part) => findDrivers(part)[0]);
      return parts.every((part) => part !== undefined) ? [parts.flat()] : [];
    }
    case 'in':
      return isIndexed(filter.path)
        ? [[...new Set(filter.values)].map((value) => equalTo(filter.path, value))]
        : [];
    case 'not':
    case 'exists':
      return [];
    case 'compare':
      return isIndexed(filter.path) ? [[toComparedRange(filter.test, filter.path, filter.value)]] : [];
    case 'match':
      return isIndexed(filter.path) ? [[toMatchedRange(filter)]] : [];
  }
}

function isIndexed(path: FieldPath): boolean {
  return !unindexedMembers.has(path[0]);
}

/** Where a value is too long for the index, its bound becomes inclusive: wider, never narrower. */
export function toComparedRange(test: ComparisonTest, path: FieldPath, value: Scalar): FieldRange {
  const { type, value: indexed } = toIndexValue(value) as IndexValue;
  const whole: FieldRange = { path: pathName(path), type };
  const exclusive: Bound = { value: indexed, inclusive: mayBeCut(value) };
  const inclusive: Bound = { value: indexed, inclusive: true };
  switch (test) {
    case 'eq':
      return equalTo(path, value);
    case 'lt':
      return { ...whole, upper: exclusive };
    case 'lte':
      return { ...whole, upper: inclusive };
    case 'gt':
      return { ...whole, lower: exclusive };
    case 'gte':
      return { ...whole, lower: inclusive };
    // The type alone narrows the scan.
    case 'ne':
      return whole;
  }
}

/** Only a case-sensitive prefix is contiguous in the index; for other matches the range holds every string. */
export function toMatchedRange({ how, path, value, ignoreCase }: MatchFilter): FieldRange {
  const { type, value: indexed } = toIndexValue(value) as IndexValue;
  const whole: FieldRange = { path: pathName(path), type };
  if (how !== 'startsWith' || ignoreCase === true) return whole;
  const after = successor(String(indexed));
  return {
    ...whole,
    lower: { value: indexed, inclusive: true },
    ...(after === undefined ? {} : { upper: { value: after, inclusive: false } }),
  };
}

function equalTo(path: FieldPath, value: Scalar): FieldRange {
  const { type, value: indexed } = toIndexValue(value) as IndexValue;
  const bound: Bound = { value: indexed, inclusive: true };
  return { path: pathName(path), type, lower: bound, upper: bound };
}

/** @returns the first string after all strings with a prefix; undefined when there is none */
function successor(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // Skip the surrogates after U+D7FF.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}

/** @returns undefined for disjoint types */
export function intersect(a: FieldRange, b: FieldRange): FieldRange | undefined {
  if (a.type !== b.type) return undefined;
  const tighter = (sign: 1 | -1) => (one: Bound | undefined, other: Bound | undefined) => {
    if (one === undefined || other === undefined) return one ?? other;
    const order = sign * compareIndexValues({ type: a.type, ...one }, { type: a.type, ...other });
    return order > 0 || (order === 0 && !one.inclusive) ? one : other;
  };
  const lower = tighter(1)(a.lower, b.lower);
  const upper = tighter(-1)(a.upper, b.upper);
  return { path: a.path, type: a.type, ...(lower && { lower }), ...(upper && { upper }) };
}
