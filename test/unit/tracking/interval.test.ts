import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricPoint } from '../../../shared/domains/tracking/entities.ts';
import { sampleEvenly } from '../../../shared/domains/tracking/metrics/interval.ts';

async function* inBatches(points: readonly MetricPoint[], size = 5): AsyncGenerator<readonly MetricPoint[]> {
  for (let from = 0; from < points.length; from += size) yield points.slice(from, from + size);
}

const steps = (points: readonly MetricPoint[]) => points.map((point) => point.step);
const at = (step: number): MetricPoint => ({ step, timestamp: 0, value: step });

/** What a tracking server of MLflow 3.17 answers for 23 steps. */
test.each([
  [1, [22]],
  [2, [0, 22]],
  [5, [0, 5, 10, 15, 22]],
  [10, [0, 3, 6, 9, 11, 13, 15, 17, 19, 22]],
  [24, Array.from({ length: 23 }, (_, step) => step)],
])('%i of 23 points are those that MLflow picks', async (count, expected) => {
  const points = Array.from({ length: 23 }, (_, step) => at(step));
  expect(steps(await sampleEvenly(inBatches(points), count))).toEqual(expected);
});

test('samples only the requested range of steps', async () => {
  const points = Array.from({ length: 23 }, (_, step) => at(step));
  const isWanted = ({ step }: MetricPoint) => step >= 3 && step <= 20;
  expect(steps(await sampleEvenly(inBatches(points), 4, isWanted))).toEqual([3, 8, 13, 20]);
});

test('does not depend on the order of the points', async () => {
  const point = fc.record({
    step: fc.integer({ min: 0, max: 9 }),
    timestamp: fc.integer({ min: 0, max: 9 }),
    value: fc.constantFrom(-1, 0, 1, Infinity),
  });
  const points = fc.array(point, { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(points, fc.integer({ min: 1, max: 20 }), async (all, count) => {
      const sorted = all.toSorted(
        (a, b) =>
          a.step - b.step ||
          a.timestamp - b.timestamp ||
          Number(a.value > b.value) - Number(a.value < b.value),
      );
      expect(await sampleEvenly(inBatches(all), count)).toEqual(await sampleEvenly(inBatches(sorted), count));
      const picked = await sampleEvenly(inBatches(all), count);
      expect(picked.length).toBe(Math.min(all.length, count));
      expect(picked.at(-1)).toEqual(sorted.at(-1));
      if (count > 1) expect(picked[0]).toEqual(sorted[0]);
    }),
  );
});

test('sorts more points than fit into one block', async () => {
  const count = 100_003;
  const points = Array.from({ length: count }, (_, index) => at((index * 7_919) % count));
  const picked = await sampleEvenly(inBatches(points, 1_000), count);
  expect(picked.every(({ step }, index) => step === index)).toBe(true);
});
