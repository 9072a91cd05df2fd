import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeAucScore } from '../../shared/core/stats/metrics/auc.ts';
import { computeCalibrationErrorDistance } from '../../shared/core/stats/metrics/calibration-error.ts';
import { metrics, type MetricName } from '../../shared/core/stats/metrics/catalog.ts';
import type { Metric, PredictionKind, ScoredRows } from '../../shared/core/stats/metrics/metric.ts';
import { choleskyFactor, choleskySolve } from '../../shared/core/stats/cholesky.ts';
import { exp } from '../../shared/core/stats/exp.ts';
import { log } from '../../shared/core/stats/log.ts';
import { sigmoid } from '../../shared/core/stats/logistic.ts';
import { hashRow } from '../../shared/core/stats/row-hash.ts';

/** Few distinct scores, so that ties are common. */
const scoredRow = fc.record({
  score: fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  label: fc.constantFrom(0, 1),
});

test('AUC equals its definition: the share of pairs in the right order, ties half', () => {
  fc.assert(
    fc.property(fc.array(scoredRow, { maxLength: 60 }), (rows) => {
      const positives = rows.filter(({ label }) => label === 1);
      const negatives = rows.filter(({ label }) => label === 0);
      let wins = 0;
      for (const p of positives)
        for (const n of negatives) wins += p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0;
      const auc = computeAucScore(
        Float64Array.from(rows, ({ score }) => score),
        Uint8Array.from(rows, ({ label }) => label),
      );
      expect(auc).toBe(wins / (positives.length * negatives.length));
    }),
  );
});

test('calibration error is at most the largest gap, and 0 for perfect predictions', () => {
  fc.assert(
    fc.property(fc.array(scoredRow, { minLength: 1, maxLength: 60 }), (rows) => {
      const y = Uint8Array.from(rows, ({ label }) => label);
      const p = Float64Array.from(rows, ({ score }) => score);
      expect(computeCalibrationErrorDistance(p, y)).toBeLessThanOrEqual(1 + 1e-12);
      expect(computeCalibrationErrorDistance(Float64Array.from(y), y)).toBe(0);
    }),
  );
});

/** Any rows that a metric of this kind accepts. */
const anyRows = {
  binary: fc.array(scoredRow, { minLength: 1, maxLength: 30 }).map((rows) => ({
    probabilities: Float64Array.from(rows, ({ score }) => score),
    labels: Uint8Array.from(rows, ({ label }) => label),
  })),
  multiclass: fc
    .integer({ min: 2, max: 5 })
    .chain((classes) =>
      fc.array(
        fc.record({
          weights: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: classes, maxLength: classes }),
          label: fc.nat(classes - 1),
        }),
        { minLength: 1, maxLength: 30 },
      ),
    )
    .map((rows) => ({
      classes: rows[0]!.weights.length,
      probabilities: Float64Array.from(
        rows.flatMap(({ weights }) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          return weights.map((weight) => (total === 0 ? 1 / weights.length : weight / total));
        }),
      ),
      labels: Int32Array.from(rows, ({ label }) => label),
    })),
  regression: fc
    .array(fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: -5, max: 5 })), {
      minLength: 1,
      maxLength: 30,
    })
    .map((rows) => ({
      predictions: Float64Array.from(rows, ([prediction]) => prediction),
      targets: Float64Array.from(rows, ([, target]) => target),
    })),
} as const satisfies { [Kind in PredictionKind]: fc.Arbitrary<ScoredRows<Kind>> };

test.each(Object.keys(metrics) as MetricName[])('%s stays in its range for any prediction', (name) => {
  const { range, compute }: Metric = metrics[name];
  for (const kind of Object.keys(compute) as PredictionKind[])
    fc.assert(
      fc.property(anyRows[kind] as fc.Arbitrary<never>, (rows) => {
        const value = compute[kind]?.(rows);
        if (Number.isNaN(value)) return;
        expect(value).toBeGreaterThanOrEqual(range[0] - 1e-12);
        expect(value).toBeLessThanOrEqual(range[1] + 1e-12);
      }),
    );
});

test('log turns products into sums, and undoes exp', () => {
  const number = fc.double({ min: 1e-100, max: 1e100, noNaN: true });
  fc.assert(
    fc.property(number, number, (x, y) => {
      const [a, b] = [log(x), log(y)];
      expect(Math.abs(log(x * y) - (a + b))).toBeLessThan(4e-16 * (Math.abs(a) + Math.abs(b) + 1));
      expect(Math.abs(exp(a) / x - 1)).toBeLessThan(1e-13);
    }),
  );
});

test('Cholesky solves every system that is well conditioned', () => {
  const size = fc.integer({ min: 1, max: 12 });
  const system = size.chain((n) =>
    fc.record({
      n: fc.constant(n),
      root: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: n * n, maxLength: n * n }),
      x: fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: n, maxLength: n }),
    }),
  );
  fc.assert(
    fc.property(system, ({ n, root, x }) => {
      // A = R Rᵀ + I is symmetric and positive definite.
      const a = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          let sum = i === j ? 1 : 0;
          for (let k = 0; k < n; k++) sum += root[i * n + k]! * root[j * n + k]!;
          a[i * n + j] = sum;
        }
      const b = Float64Array.from({ length: n }, (_, i) =>
        x.reduce((sum, value, j) => sum + a[i * n + j]! * value, 0),
      );
      expect(choleskyFactor(a, n)).toBe(true);
      choleskySolve(a, n, b);
      for (const [i, value] of x.entries()) expect(b[i]).toBeCloseTo(value, 9);
    }),
  );
});

test('exp turns sums into products, and sigmoid mirrors', () => {
  const number = fc.double({ min: -300, max: 300, noNaN: true });
  fc.assert(
    fc.property(number, number, (x, y) => {
      expect(Math.abs((exp(x) * exp(y)) / exp(x + y) - 1)).toBeLessThan(1e-12);
      expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 15);
    }),
  );
});

test('the row hash fills [0, 1) evenly for every seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (seed) => {
      const counts = Array.from({ length: 10 }, () => 0);
      for (let row = 0; row < 10_000; row++) {
        const bucket = Math.floor(hashRow(row, seed) * 10);
        counts[bucket] = (counts[bucket] ?? 0) + 1;
      }
      expect(counts).toHaveLength(10);
      // Six standard deviations of a fair draw.
      for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(180);
    }),
    { numRuns: 30 },
  );
});
