import * as fc from 'fast-check';
import type { JsonObject } from '../../../shared/core/json/json.ts';

/** A generated filter: printed for the search, and evaluated here without the search's code. */
export type Wish =
  | { readonly is: 'and' | 'or'; readonly of: readonly Wish[] }
  | { readonly is: 'not'; readonly of: readonly [Wish] }
  | { readonly is: 'condition'; readonly name: string; readonly get: Get; readonly test: Test };

/** The value of a field of a run; `NaN` for NaN, undefined when missing. In a list, any value may match. */
type Get = (run: PlainRun) => number | string | readonly string[] | undefined;

interface Test {
  readonly text: string;
  /** undefined: the test is for missing values. */
  readonly holds?: (value: number | string) => boolean;
  readonly wantsMissing?: boolean;
}

export interface PlainRun {
  readonly runId: string;
  readonly startTime: number;
  readonly name: string;
  readonly endTime?: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly datasets: readonly string[];
}

const metricKeys = ['m', 'a b', 'x.y'] as const;
const textKeys = ['p', 'q r', '__proto__', 'it"s'] as const;
const texts = ['', 'a', 'ab', 'aB', 'abc', 'b', 'B', 'ba', 'a_b', 'a%b', "it's", 'é', 'É', '\uff5e'] as const;
const numbers = [-1, 0, 0.5, 1, 2, 1e300] as const;
const datasetNames = ['iris', 'wine', 'Iris', 'w'] as const;

export const runs: fc.Arbitrary<readonly PlainRun[]> = fc
  .array(
    fc.record(
      {
        startTime: fc.constantFrom(1, 2, 3),
        endTime: fc.constantFrom(5, 6),
        name: fc.constantFrom(...texts),
        metrics: someOf(metricKeys, fc.constantFrom(...numbers, NaN)),
        params: someOf(textKeys, fc.constantFrom(...texts)),
        tags: someOf(textKeys, fc.constantFrom(...texts)),
        datasets: fc.uniqueArray(fc.constantFrom(...datasetNames), { maxLength: 2 }),
      },
      { requiredKeys: ['startTime', 'name', 'metrics', 'params', 'tags', 'datasets'] },
    ),
    { minLength: 5, maxLength: 24 },
  )
  .map((all) => all.map((run, index) => ({ ...run, runId: `r${(index * 7) % 31}` })));

function someOf<T>(keys: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  return fc
    .array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries));
}

/** As stored by shared/domains/tracking. */
export function toDocument(run: PlainRun): JsonObject {
  const { runId, startTime, endTime, name, params, tags } = run;
  const metrics = Object.entries(run.metrics);
  const marks = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, true]));
  return {
    kind: 'run',
    run: { runId, startTime, name, ...(endTime === undefined ? {} : { endTime }) },
    params,
    tags,
    metrics: Object.fromEntries(metrics.filter(([, value]) => !Number.isNaN(value))),
    nan: marks(metrics.filter(([, value]) => Number.isNaN(value)).map(([key]) => key)),
    datasets: { name: marks(run.datasets) },
  };
}

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.getOwnPropertyDescriptor(record, key)?.value as T | undefined;

const quote = (key: string) => fc.constantFrom(`\`${key}\``, `"${key.replaceAll('"', '""')}"`);

const numberFields = fc.oneof(
  fc.constantFrom(...metricKeys).chain((key) =>
    fc
      .tuple(
        fc.constantFrom('metrics', 'metric'),
        key === 'a b' ? quote(key) : fc.oneof(quote(key), fc.constant(key)),
      )
      .map(([entity, text]) => ({
        name: `${entity}.${text}`,
        get: (run: PlainRun) => own(run.metrics, key),
      })),
  ),
  fc.constantFrom(
    { name: 'start_time', get: (run: PlainRun) => run.startTime },
    { name: 'attributes.end_time', get: (run: PlainRun) => run.endTime },
  ),
);

const textFields = fc.oneof(
  fc
    .tuple(fc.constantFrom(...textKeys), fc.constantFrom('params', 'parameter', 'tags', 'tag'))
    .chain(([key, entity]) =>
      quote(key).map((text) => ({
        name: `${entity}.${text}`,
        get: (run: PlainRun) => own(entity.startsWith('p') ? run.params : run.tags, key),
      })),
    ),
  fc.constant({ name: 'run_name', get: (run: PlainRun) => run.name }),
);

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const numberTests: fc.Arbitrary<Test> = fc
  .tuple(fc.constantFrom(...Object.keys(comparisons)), fc.constantFrom(...numbers))
  .map(([op, wanted]) => ({
    text: `${op} ${wanted}`,
    holds: (value) => comparisons[op]!(value as number, wanted),
  }));

const textLiteral = (text: string) => `'${text.replaceAll("'", "''")}'`;

const patterns = fc
  .array(fc.constantFrom('%', '_', 'a', 'b', 'B', 'ab', 'i', '%'), { maxLength: 4 })
  .map((parts) => parts.join(''));

const textTests: fc.Arbitrary<Test> = fc.oneof(
  fc.tuple(fc.constantFrom('=', '!='), fc.constantFrom(...texts)).map(([op, wanted]) => ({
    text: `${op} ${textLiteral(wanted)}`,
    holds: (value: number | string) => (value === wanted) === (op === '='),
  })),
  fc
    .tuple(fc.constantFrom('LIKE', 'ILIKE', 'like', 'NOT LIKE', 'not ilike'), patterns)
    .map(([op, pattern]) => ({
      text: `${op} ${textLiteral(pattern)}`,
      holds: like(op.toUpperCase(), pattern),
    })),
  fc
    .tuple(
      fc.constantFrom('IN', 'NOT IN'),
      fc.array(fc.constantFrom(...texts, ...datasetNames), { minLength: 1, maxLength: 3 }),
    )
    .map(([op, values]) => ({
      text: `${op} (${values.map(textLiteral).join(', ')})`,
      holds: (value: number | string) => values.some((one) => one === value) === (op === 'IN'),
    })),
);

function like(op: string, pattern: string): (value: number | string) => boolean {
  const source = pattern.replaceAll('%', '[^]*').replaceAll('_', '[^]');
  const regex = new RegExp(`^${source}$`, op.endsWith('ILIKE') ? 'iu' : 'u');
  return (value) => regex.test(String(value)) !== op.startsWith('NOT');
}

const missingTests: fc.Arbitrary<Test> = fc.constantFrom(
  { text: 'IS NULL', wantsMissing: true },
  { text: 'is not null', wantsMissing: false },
);

const condition = (
  field: fc.Arbitrary<{ readonly name: string; readonly get: Get }>,
  test: fc.Arbitrary<Test>,
): fc.Arbitrary<Wish> =>
  fc
    .tuple(field, fc.oneof({ weight: 6, arbitrary: test }, { weight: 1, arbitrary: missingTests }))
    .map(([{ name, get }, chosen]): Wish => ({ is: 'condition', name, get, test: chosen }));

export const wishes: fc.Arbitrary<Wish> = fc.letrec<{ wish: Wish }>((tie) => ({
  wish: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'wish' },
    condition(numberFields, numberTests),
    condition(textFields, textTests),
    condition(fc.constant({ name: 'datasets.name', get: (run: PlainRun) => run.datasets }), textTests),
    fc.record({
      is: fc.constantFrom('and', 'or'),
      of: fc.array(tie('wish'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ is: fc.constant('not' as const), of: fc.tuple(tie('wish')) }),
  ),
})).wish;

const strength = { or: 0, and: 1, not: 2, condition: 3 } as const;

/** With no more parentheses than it needs: AND binds closer than OR, and NOT closer than both. */
export function print(wish: Wish): string {
  if (wish.is === 'condition') return `${wish.name} ${wish.test.text}`;
  const parts = wish.of.map((part) =>
    strength[part.is] < strength[wish.is] ? `(${print(part)})` : print(part),
  );
  return wish.is === 'not' ? `NOT ${parts[0]}` : parts.join(wish.is === 'and' ? ' AND ' : ' or ');
}

/** @returns undefined for *unknown*. */
export function judgeWish(wish: Wish, run: PlainRun): boolean | undefined {
  switch (wish.is) {
    case 'and':
      return combine(wish.of, run, false);
    case 'or':
      return combine(wish.of, run, true);
    case 'not': {
      const truth = judgeWish(wish.of[0], run);
      return truth === undefined ? undefined : !truth;
    }
    case 'condition': {
      const { holds, wantsMissing } = wish.test;
      const value = wish.get(run);
      const isMissing = value === undefined || (Array.isArray(value) && value.length === 0);
      if (holds === undefined) return isMissing === wantsMissing;
      if (Array.isArray(value)) return value.some((one) => holds(one as string));
      return value === undefined ? undefined : holds(value as number | string);
    }
  }
}

/** A `decisive` part decides; otherwise an unknown one does. */
function combine(parts: readonly Wish[], run: PlainRun, decisive: boolean): boolean | undefined {
  const truths = parts.map((part) => judgeWish(part, run));
  if (truths.includes(decisive)) return decisive;
  return truths.includes(undefined) ? undefined : !decisive;
}

export interface PlainOrder {
  readonly text: string;
  readonly get: (run: PlainRun) => number | string | undefined;
  readonly isDescending: boolean;
}

export const orders: fc.Arbitrary<readonly PlainOrder[]> = fc.uniqueArray(
  fc
    .tuple(
      fc.constantFrom<{ readonly text: string; readonly get: PlainOrder['get'] }>(
        { text: 'metrics.m', get: (run) => own(run.metrics, 'm') },
        { text: 'metrics."a b"', get: (run) => own(run.metrics, 'a b') },
        { text: 'params.p', get: (run) => own(run.params, 'p') },
        { text: 'tags.`q r`', get: (run) => own(run.tags, 'q r') },
        { text: 'tags.__proto__', get: (run) => own(run.tags, '__proto__') },
        { text: 'attribute.end_time', get: (run) => run.endTime },
        { text: 'start_time', get: (run) => run.startTime },
        { text: 'run_name', get: (run) => run.name },
        { text: 'run_id', get: (run) => run.runId },
      ),
      fc.constantFrom('', ' ASC', ' DESC', ' desc'),
    )
    .map(([{ text, get }, direction]) => ({
      text: text + direction,
      get,
      isDescending: direction.trim().toUpperCase() === 'DESC',
    })),
  { maxLength: 3, selector: ({ text }) => text.split(' ')[0] },
);

/** Values, then NaN, then missing; then the latest first; then by id. */
export function sortPlainly(all: readonly PlainRun[], order: readonly PlainOrder[]): readonly PlainRun[] {
  const latest: PlainOrder = { text: '', get: (run) => run.startTime, isDescending: true };
  const byId: PlainOrder = { text: '', get: (run) => run.runId, isDescending: false };
  const hasTime = order.some(({ text }) => text.startsWith('start_time'));
  const keys = [...order, ...(hasTime ? [] : [latest]), byId];
  return all.toSorted((a, b) => keys.reduce((known, key) => known || comparePlainly(a, b, key), 0));
}

function comparePlainly(a: PlainRun, b: PlainRun, { get, isDescending }: PlainOrder): number {
  const [x, y] = [get(a), get(b)];
  const rank = (value: typeof x) => (value === undefined ? 2 : Number.isNaN(value) ? 1 : 0);
  if (rank(x) !== rank(y)) return rank(x) - rank(y);
  if (rank(x) !== 0) return 0;
  const order =
    typeof x === 'number' ? x - (y as number) : Buffer.compare(Buffer.from(x!), Buffer.from(y as string));
  return isDescending ? -order : order;
}
