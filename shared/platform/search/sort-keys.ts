import { compareCodePoints } from '../../core/names/code-points.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { memberAt } from '../../core/json/member-at.ts';
import { isValueFilter } from '../storage/document-query-rules.ts';
import type { FieldPath, Filter } from '../storage/documents.ts';
import { allOf, isAbsent } from './push-down.ts';
import type { OrderTerm } from './subject.ts';

/** The sort key of a document in one term. In both directions values come first, then NaN, then missing fields. */
export type SortKey =
  | { readonly phase: 'value'; readonly value: number | string | boolean }
  | { readonly phase: 'nan' }
  | { readonly phase: 'missing' };

const phases = { value: 0, nan: 1, missing: 2 } as const;

/** Stores sort texts by this prefix; longer texts with the same prefix are ties. */
const sortedCodePoints = 1_024;

export function sortKeysOf(body: JsonObject, terms: readonly OrderTerm[]): readonly SortKey[] {
  return terms.map(({ field }) => {
    const value = memberAt(body, field.path);
    if (typeof value === 'string') return { phase: 'value', value: cut(value) };
    if (typeof value === 'number' || typeof value === 'boolean') return { phase: 'value', value };
    const isNaN = field.nanPath !== undefined && memberAt(body, field.nanPath) === true;
    return { phase: isNaN ? 'nan' : 'missing' };
  });
}

/** Negative when `a` sorts first, positive when `b` does. */
export function compareSortKeys(
  a: readonly SortKey[],
  b: readonly SortKey[],
  terms: readonly OrderTerm[],
): number {
  for (const [index, { direction }] of terms.entries()) {
    const order = compareKey(a[index]!, b[index]!, direction);
    if (order !== 0) return order;
  }
  return 0;
}

export function isSameKey(a: SortKey, b: SortKey): boolean {
  return compareKey(a, b, 'asc') === 0;
}

function compareKey(a: SortKey, b: SortKey, direction: OrderTerm['direction']): number {
  if (a.phase !== 'value' || b.phase !== 'value') return phases[a.phase] - phases[b.phase];
  const order = compareValues(a.value, b.value);
  return direction === 'asc' ? order : -order;
}

const types = { boolean: 0, number: 1, string: 2 } as const;

function compareValues(a: number | string | boolean, b: number | string | boolean): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  const order = types[typeof a as keyof typeof types] - types[typeof b as keyof typeof types];
  return order === 0 ? Number(a) - Number(b) : order;
}

/** Selects documents with this key. */
export function hasKey({ field }: OrderTerm, key: SortKey): Filter {
  switch (key.phase) {
    case 'value':
      return isCut(key.value)
        ? { op: 'match', how: 'startsWith', path: field.path, value: key.value }
        : { op: 'compare', test: 'eq', path: field.path, value: key.value };
    case 'nan':
      return { op: 'compare', test: 'eq', path: field.nanPath!, value: true };
    case 'missing':
      return allOf([isAbsent(field.path), ...(field.nanPath === undefined ? [] : [isAbsent(field.nanPath)])]);
  }
}

/** Selects documents from this value on, or after it. */
export function isFrom(
  { field: { path }, direction }: OrderTerm,
  value: number | string | boolean,
  isInclusive: boolean,
): Filter {
  if (!isCut(value)) {
    const test = direction === 'asc' ? (isInclusive ? 'gte' : 'gt') : isInclusive ? 'lte' : 'lt';
    return { op: 'compare', test, path, value };
  }
  // A cut value represents all texts with this prefix.
  const begins: Filter = { op: 'match', how: 'startsWith', path, value };
  if (direction === 'asc')
    return isInclusive
      ? { op: 'compare', test: 'gte', path, value }
      : allOf([
          { op: 'compare', test: 'gt', path, value },
          { op: 'not', filter: begins },
        ]);
  const less: Filter = { op: 'compare', test: 'lt', path, value };
  return isInclusive ? { op: 'or', filters: [less, begins] } : less;
}

function isCut(value: number | string | boolean): value is string {
  return (
    typeof value === 'string' && value.length >= sortedCodePoints && cut(value) === value && isFull(value)
  );
}

function isFull(text: string): boolean {
  return Array.from(text).length >= sortedCodePoints;
}

function cut(text: string): string {
  return text.length <= sortedCodePoints ? text : Array.from(text).slice(0, sortedCodePoints).join('');
}

/** Paths at which every document selected by a filter has a value: sorting by them needs no pass over documents without. */
export function requiredPaths(filter: Filter): ReadonlySet<string> {
  switch (filter.op) {
    case 'and':
      return new Set(filter.filters.flatMap((part) => [...requiredPaths(part)]));
    case 'or': {
      const [first, ...others] = filter.filters.map(requiredPaths);
      return others.reduce((common, paths) => common.intersection(paths), first ?? new Set<string>());
    }
    case 'not':
      // `not` selects documents where the comparison is false, which need a value, too.
      return isValueFilter(filter.filter) ? requiredPaths(filter.filter) : new Set();
    case 'exists':
      return new Set();
    case 'compare':
    case 'in':
    case 'match':
      return new Set([pathKey(filter.path)]);
  }
}

export function pathKey(path: FieldPath): string {
  return JSON.stringify(path);
}
