import * as fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../shared/core/json/json.ts';
import type {
  ComparisonTest,
  FieldPath,
  Filter,
  MatchFilter,
  Scalar,
  Sort,
} from '../../../shared/platform/storage/documents.ts';

/** SQL's third truth value has its own name here, so that no `undefined` can be mistaken for it. */
export type Truth = 'true' | 'false' | 'unknown';

/** A plain, slow evaluation of filters as the port specifies them, independent of the stores under test. */
export function evaluate(filter: Filter, body: JsonObject): Truth {
  switch (filter.op) {
    case 'and':
      return least(filter.filters.map((part) => evaluate(part, body)));
    case 'or':
      return greatest(filter.filters.map((part) => evaluate(part, body)));
    case 'not':
      return opposite(evaluate(filter.filter, body));
    case 'exists':
      return (resolve(body, filter.path) ?? null) === null ? 'false' : 'true';
    case 'in':
      return greatest(
        filter.values.map((value) => evaluate({ op: 'compare', test: 'eq', path: filter.path, value }, body)),
      );
    case 'compare': {
      const value = resolve(body, filter.path);
      if (typeof value !== typeof filter.value) return 'unknown';
      return test(filter.test, value as Scalar, filter.value) ? 'true' : 'false';
    }
    case 'match': {
      const value = resolve(body, filter.path);
      if (typeof value !== 'string') return 'unknown';
      const fold = (text: string) => (filter.ignoreCase === true ? text.toUpperCase() : text);
      return test(filter.how, fold(value), fold(filter.value)) ? 'true' : 'false';
    }
  }
}

function test(name: ComparisonTest | MatchFilter['how'], a: Scalar, b: Scalar): boolean {
  switch (name) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return compareScalars(a, b) < 0;
    case 'lte':
      return compareScalars(a, b) <= 0;
    case 'gt':
      return compareScalars(a, b) > 0;
    case 'gte':
      return compareScalars(a, b) >= 0;
    case 'startsWith':
      return String(a).slice(0, String(b).length) === b;
    case 'endsWith':
      return String(b) === '' || String(a).slice(-String(b).length) === b;
    case 'contains':
      return String(a).split(String(b)).length > 1 || b === '';
  }
}

const truths: readonly Truth[] = ['false', 'unknown', 'true'];
const least = (all: readonly Truth[]) => truths.find((truth) => all.includes(truth)) ?? 'true';
const greatest = (all: readonly Truth[]) =>
  truths.toReversed().find((truth) => all.includes(truth)) ?? 'false';
const opposite = (truth: Truth) => truths[2 - truths.indexOf(truth)]!;

function resolve(body: JsonObject, path: FieldPath): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (value, name) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.entries(value).find(([key]) => key === name)?.[1]
        : undefined,
    body,
  );
}

const typeOrder = ['boolean', 'number', 'string'];

/** Booleans, then numbers, then strings; strings by their bytes in UTF-8, which is the order of code points. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a !== typeof b) return typeOrder.indexOf(typeof a) - typeOrder.indexOf(typeof b);
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return Number(a) - Number(b);
}

/** @returns the sort field of a body; undefined when the document is left out. */
export function sortField(body: JsonObject, sort: Sort): Scalar | undefined {
  const value = resolve(body, sort.path);
  return value === null || typeof value === 'object' ? undefined : value;
}

/** A few names and values, so that conditions and documents often meet. */
const names = ['a', 'b', 'val/auc', 'x"y\\z'] as const;

export const scalars: fc.Arbitrary<Scalar> = fc.oneof(
  fc.boolean(),
  fc.constantFrom(-1, 0, 0.5, 1, 1e300),
  fc.constantFrom('', 'a', 'ab', 'abc', 'b', 'B', 'é', "o'hara", '1'),
);

export const bodies: fc.Arbitrary<JsonObject> = fc.dictionary(
  fc.constantFrom(...names),
  fc.oneof(
    { weight: 6, arbitrary: scalars },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.array(scalars, { maxLength: 2 }) },
    { weight: 3, arbitrary: fc.dictionary(fc.constantFrom(...names), fc.oneof(scalars, fc.constant(null))) },
  ),
  { minKeys: 2, noNullPrototype: true },
) as fc.Arbitrary<JsonObject>;

const paths: fc.Arbitrary<FieldPath> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...names).map((name): FieldPath => [name]) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)) },
);

export const sorts: fc.Arbitrary<Sort> = fc.record({
  path: paths,
  direction: fc.constantFrom('asc', 'desc'),
});

export const filters: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'filter' },
    fc.record({
      op: fc.constant('compare'),
      test: fc.constantFrom('eq', 'ne', 'lt', 'lte', 'gt', 'gte'),
      path: paths,
      value: scalars,
    }),
    fc.record({ op: fc.constant('exists'), path: paths }),
    fc.record({ op: fc.constant('in'), path: paths, values: fc.array(scalars, { maxLength: 3 }) }),
    fc.record(
      {
        op: fc.constant('match'),
        how: fc.constantFrom('startsWith', 'endsWith', 'contains'),
        path: paths,
        value: fc.constantFrom('', 'a', 'b', 'bC', 'é'),
        ignoreCase: fc.constant(true),
      },
      { requiredKeys: ['op', 'how', 'path', 'value'] },
    ),
    fc.record({ op: fc.constant('not'), filter: tie('filter') }),
    fc.record({ op: fc.constantFrom('and', 'or'), filters: fc.array(tie('filter'), { maxLength: 3 }) }),
  ) as fc.Arbitrary<Filter>,
})).filter;
