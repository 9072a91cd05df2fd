import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OrderedFile, orderFiles } from '../../shared/domains/datasets/tables/row-order.ts';

const sequence = fc
  .array(fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }), { maxLength: 30 })
  .map((orders) =>
    orders.map((order, index): OrderedFile => ({
      path: `f${index}`,
      ...(order === undefined ? {} : { order }),
    })),
  );

test('numbers increase strictly for any input', () => {
  fc.assert(
    fc.property(sequence, (files) => {
      const orders = orderFiles(files);
      expect(orders).toHaveLength(files.length);
      for (const [index, order] of orders.entries()) expect(order).toBeGreaterThan(orders[index - 1] ?? 0);
    }),
  );
});

test('keeps as many of the given numbers as possible', () => {
  fc.assert(
    fc.property(sequence, (files) => {
      const orders = orderFiles(files);
      const kept = files.filter(({ order }, index) => order === orders[index]).length;
      expect(kept).toBeGreaterThanOrEqual(longestRising(files));
    }),
  );
});

test('repeated insertion between two files renumbers them instead of repeating a number', () => {
  let files: OrderedFile[] = [
    { path: 'a', order: 1 },
    { path: 'z', order: 2 },
  ];
  for (let round = 0; round < 200; round += 1) {
    const next: OrderedFile[] = [files[0]!, { path: `n${round}` }, ...files.slice(1)];
    const orders = orderFiles(next);
    expect(new Set(orders).size).toBe(orders.length);
    files = next.map(({ path }, index) => ({ path, order: orders[index]! }));
  }
});

/** A quadratic algorithm, independent of the tested one. */
function longestRising(files: readonly OrderedFile[]): number {
  const best: number[] = [];
  for (const [index, { order }] of files.entries()) {
    best[index] = 0;
    if (order === undefined) continue;
    const before = files
      .slice(0, index)
      .map((file, at) => (file.order !== undefined && file.order < order ? best[at]! : 0));
    best[index] = 1 + Math.max(0, ...before);
  }
  return Math.max(0, ...best);
}
