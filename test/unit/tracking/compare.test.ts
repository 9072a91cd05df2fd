import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareRuns, type ComparedRow } from '../../../shared/domains/tracking/compare.ts';
import type { Run } from '../../../shared/domains/tracking/entities.ts';

const key = fc.constantFrom('a', 'b', 'lr', '__proto__', 'constructor', 'é', 'z');
const text = fc.constantFrom('', '0', '1', 'x');
const number = fc.constantFrom(0, -0, -1, 0.5, NaN, Infinity, -Infinity);
const run = fc
  .record({
    params: fc.array(fc.tuple(key, text)),
    tags: fc.array(fc.tuple(key, text)),
    metrics: fc.array(fc.tuple(key, number)),
  })
  .map(toRun);

function toRun(of: {
  params: [string, string][];
  tags: [string, string][];
  metrics: [string, number][];
}): Run {
  return {
    info: {
      runId: 'r',
      experimentId: '0',
      name: 'n',
      userId: 'u',
      status: 'RUNNING',
      startTime: 0,
      lifecycleStage: 'active',
      artifactUri: 'mlflow-artifacts:/0/r/artifacts',
      createdAt: 0,
      lastWriteAt: 0,
    },
    params: new Map(of.params),
    tags: new Map(of.tags),
    metrics: new Map(of.metrics.map(([k, value]) => [k, { step: 0, timestamp: 0, value }])),
    links: { datasetInputs: [], modelInputs: [], modelOutputs: [] },
  };
}

/** A cell at a time: looks every key of every run up in every run. */
function naive<V>(
  maps: readonly ReadonlyMap<string, V>[],
  which: 'different' | 'all',
): Map<string, (V | 'missing')[]> {
  const rows = new Map<string, (V | 'missing')[]>();
  for (const map of maps)
    for (const k of map.keys()) {
      const cells = maps.map((other) => (other.has(k) ? (other.get(k) as V) : 'missing'));
      const texts = new Set(cells.map((cell) => (cell === 'missing' ? 'missing' : `is ${String(cell)}`)));
      if (which === 'all' || texts.size > 1) rows.set(k, cells);
    }
  return rows;
}

function toMap<V>(rows: readonly ComparedRow<V>[]): Map<string, (V | 'missing')[]> {
  return new Map(rows.map((row) => [row.key, row.values.map((value) => value ?? 'missing')]));
}

test('compares like a cell-by-cell comparison, sorted by key', () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), fc.constantFrom('different', 'all'), (runs, which) => {
      const compared = compareRuns(runs, which);
      expect(toMap(compared.params)).toEqual(
        naive(
          runs.map((r) => r.params),
          which,
        ),
      );
      expect(toMap(compared.tags)).toEqual(
        naive(
          runs.map((r) => r.tags),
          which,
        ),
      );
      const metrics = runs.map((r) => new Map([...r.metrics].map(([k, p]) => [k, p.value])));
      expect(toMap(compared.metrics)).toEqual(naive(metrics, which));
      for (const rows of [compared.params, compared.metrics, compared.tags]) {
        const keys = rows.map((row) => row.key);
        expect(keys).toEqual([...new Set(keys)].sort());
      }
    }),
  );
});

test('refuses more text than an answer can hold', () => {
  const big = toRun({ params: [['p', 'x'.repeat(2 ** 20)]], tags: [], metrics: [] });
  expect(() =>
    compareRuns([...Array(20).fill(big), toRun({ params: [], tags: [], metrics: [] })], 'different'),
  ).toThrow(/name fewer/);
});
