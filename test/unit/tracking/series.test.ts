import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricPoint } from '../../../shared/domains/tracking/entities.ts';
import { sampleSeries, type Series, type SeriesAxis } from '../../../shared/domains/tracking/series.ts';

async function* inBatches(points: readonly MetricPoint[], size = 7): AsyncGenerator<readonly MetricPoint[]> {
  for (let from = 0; from < points.length; from += size) yield points.slice(from, from + size);
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.double({ noDefaultInfinity: true, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
);
const point = fc.record({
  step: fc.oneof(fc.integer({ min: -50, max: 200 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 })),
  timestamp: fc.oneof(
    fc.integer({ min: 0, max: 50 }),
    fc.integer({ min: 1_600_000_000_000, max: 1_700_000_000_000 }),
  ),
  value,
});
const axis = fc.constantFrom<SeriesAxis>('step', 'time');
const identity = ({ timestamp, step, value: v }: MetricPoint) =>
  `${timestamp}/${step}/${Object.is(v, -0) ? 0 : v}`;
const history = fc.uniqueArray(point, { maxLength: 400, selector: identity });
const positionOf = (by: SeriesAxis, p: MetricPoint) => (by === 'step' ? p.step : p.timestamp);

/** The ideal width: the narrowest power of two that does not give too many buckets. */
function bucketsOf(points: readonly MetricPoint[], by: SeriesAxis, maxBuckets: number): MetricPoint[][] {
  for (let width = 1; ; width *= 2) {
    const groups = Map.groupBy(points, (p) => Math.floor(positionOf(by, p) / width));
    if (groups.size <= maxBuckets) return [...groups.values()];
  }
}

test('keeps the extremes of every bucket and the exact ends, in any order of the points', async () => {
  await fc.assert(
    fc.asyncProperty(history, axis, fc.integer({ min: 6, max: 60 }), async (points, by, maxPoints) => {
      const series = await sampleSeries(inBatches(points), { axis: by, maxPoints });
      const finite = points.filter((p) => Number.isFinite(p.value));
      expect(series.total).toBe(points.length);
      expect(series.isSampled).toBe(points.length > maxPoints);
      const kept = new Set(series.points.map(identity));
      for (const p of series.points) expect(finite.map(identity)).toContain(identity(p));
      if (!series.isSampled) {
        expect(kept.size).toBe(finite.length);
        return;
      }
      expect(series.points.length).toBeLessThanOrEqual(maxPoints);
      const positions = finite.map((p) => positionOf(by, p));
      if (finite.length > 0) {
        expect(positionOf(by, series.points[0]!)).toBe(Math.min(...positions));
        expect(positionOf(by, series.points.at(-1)!)).toBe(Math.max(...positions));
      }
      for (const bucket of bucketsOf(points, by, Math.floor((maxPoints - 2) / 2))) {
        const inside = bucket.filter((p) => Number.isFinite(p.value));
        const ids = new Set(bucket.map(identity));
        const answered = series.points.filter((p) => ids.has(identity(p))).map((p) => p.value);
        if (inside.length === 0) continue;
        expect(answered.some((v) => v === Math.min(...inside.map((p) => p.value)))).toBe(true);
        expect(answered.some((v) => v === Math.max(...inside.map((p) => p.value)))).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('does not depend on the order of the points', async () => {
  const shuffled = history.chain((points) =>
    fc.tuple(fc.constant(points), fc.shuffledSubarray(points, { minLength: points.length })),
  );
  await fc.assert(
    fc.asyncProperty(
      shuffled,
      axis,
      fc.integer({ min: 6, max: 40 }),
      async ([points, other], by, maxPoints) => {
        const once = await sampleSeries(inBatches(points, 3), { axis: by, maxPoints });
        const again = await sampleSeries(inBatches(other, 11), { axis: by, maxPoints });
        expect(describe(again)).toEqual(describe(once));
      },
    ),
  );
});

test('separates NaN and infinities, and counts every one', async () => {
  await fc.assert(
    fc.asyncProperty(history, axis, async (points, by) => {
      const series = await sampleSeries(inBatches(points), { axis: by, maxPoints: 20 });
      for (const kind of [NaN, Infinity, -Infinity]) {
        const counted = series.nonFinite
          .filter((entry) => Object.is(entry.point.value, kind))
          .reduce((sum, entry) => sum + entry.count, 0);
        expect(counted).toBe(points.filter((p) => Object.is(p.value, kind)).length);
      }
    }),
  );
});

test('reports the first NaN of a bucket, with their number', async () => {
  const points = Array.from({ length: 100 }, (_, step) => ({ step, timestamp: 0, value: NaN }));
  const series = await sampleSeries(inBatches(points.toReversed()), { axis: 'step', maxPoints: 6 });
  expect(series.points).toEqual([]);
  expect(series.nonFinite.map(({ point: { step: first }, count }) => [first, count])).toEqual([
    [0, 64],
    [64, 36],
  ]);
});

test('keeps a bounded number of a million points', async () => {
  async function* many() {
    for (let batch = 0; batch < 1_000; batch += 1)
      yield Array.from({ length: 1_000 }, (_, i): MetricPoint => {
        const step = batch * 1_000 + i;
        return { step, timestamp: step, value: step === 777_777 ? 99 : Math.sin(step / 1e4) };
      });
  }
  const series = await sampleSeries(many(), { axis: 'step', maxPoints: 1_000 });
  expect(series.total).toBe(1_000_000);
  expect(series.points.length).toBeLessThanOrEqual(1_000);
  expect(series.points.length).toBeGreaterThan(400);
  expect(series.points.find((p) => p.value === 99)?.step).toBe(777_777);
  expect(series.points[0]).toEqual({ step: 0, timestamp: 0, value: 0 });
  expect(series.points.at(-1)?.step).toBe(999_999);
});

test('an empty history has an empty series', async () => {
  const series = await sampleSeries(inBatches([]), { axis: 'step', maxPoints: 10 });
  expect(series).toEqual({ points: [], nonFinite: [], total: 0, isSampled: false });
});

function describe(series: Series): unknown {
  return {
    points: series.points.map(identity),
    nonFinite: series.nonFinite.map((entry) => `${identity(entry.point)} ${entry.count}`),
    isSampled: series.isSampled,
  };
}
