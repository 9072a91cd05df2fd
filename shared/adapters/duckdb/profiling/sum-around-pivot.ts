import { powerOfTwo } from '../../../core/stats/power-of-two.ts';
import { exponentOf, type PivotSums } from '../../../domains/datasets/profiles/moments.ts';
import { runQuery } from '../run-query.ts';
import type { ColumnWork } from './groups.ts';

/** Up to 2^35 terms of at most 2 add up to less than 2^127. */
const gridBits = 90;
const grid = `${powerOfTwo(gridBits)}::DOUBLE`;

export interface Extent<Value> {
  readonly count: number;
  readonly min: Value;
  readonly max: Value;
  readonly median: Value;
}

/**
 * Sums doubles exactly. A sum of doubles depends on their order, and so on threads; here each term is rounded to an
 * integer multiple of 2^-90 of the largest, and integers are added. The remainders are added in units of 2^-180, so that
 * one huge value does not spoil a mean.
 */
export async function sumDoubles(
  work: ColumnWork,
  { count, min, max, median }: Extent<number>,
): Promise<{ readonly aroundZero: Omit<PivotSums, 'squares'>; readonly aroundMedian: PivotSums }> {
  const size = exponentOf(min, max);
  // The difference of two doubles can overflow; that of their halves cannot.
  const spread = exponentOf(min / 2 - median / 2, max / 2 - median / 2) + 1;
  const value = `(${timesPowerOfTwo('v', -size)} * ${grid})`;
  const distance = `(${timesPowerOfTwo('v', -spread)} - ${timesPowerOfTwo(`'${median}'::DOUBLE`, -spread)})`;
  const [high, sum, squares] = await readSums(work, [
    `${value}::HUGEINT`,
    onGrid(distance),
    onGrid(`(${distance} * ${distance})`),
  ]);
  // A value has bits below the grid only if it is this small.
  const smallExponent = size - (gridBits - 53);
  // Not if all values are near the smallest subnormal number: that one is on the grid then.
  const hasRest = smallExponent > -1022 && (await readSmallest(work)) < powerOfTwo(smallExponent);
  const [low] = hasRest ? await readSums(work, [onGrid(`(${value} - ${value}::HUGEINT::DOUBLE)`)]) : [0n];
  return {
    aroundZero: {
      count,
      sum: (high << BigInt(gridBits)) + low,
      gridBits: 2 * gridBits,
      exponent: size,
    },
    aroundMedian: { count, sum, squares, gridBits, exponent: spread },
  };
}

async function readSmallest({ connection, signal }: ColumnWork): Promise<number> {
  const sql = 'SELECT min(abs(v)) FILTER (v <> 0) FROM groups';
  return ((await runQuery(connection, sql, signal)).value(0, 0) as number | null) ?? Infinity;
}

export async function sumIntegers(
  work: ColumnWork,
  { count, min, max, median }: Extent<bigint>,
): Promise<{ readonly exactSum: bigint; readonly sums: PivotSums }> {
  const reach = max - median > median - min ? max - median : median - min;
  const pivot = `('${median}'::BIGINT)`;
  // Small distances are summed without scaling.
  if (reach * reach * BigInt(count) < 2n ** 62n) {
    const [sum, squares] = await readSums(work, [`(v - ${pivot})`, `((v - ${pivot}) * (v - ${pivot}))`]);
    return { exactSum: sum, sums: { count, sum, squares, gridBits: 0, exponent: 0 } };
  }
  const distance = `(v::HUGEINT - ${pivot})`;
  const [exactSum] = await readSums(work, [distance]);
  return { exactSum, sums: await sumDistances(work, `${distance}::DOUBLE`, count, Number(reach)) };
}

export async function sumDecimals(
  work: ColumnWork,
  { count, min, max, median }: Extent<bigint>,
  { precision, scale, literal }: { precision: number; scale: number; literal: string },
): Promise<PivotSums> {
  const reach = max - median > median - min ? max - median : median - min;
  const distance = precision < 38 ? `(v - ${literal})::DOUBLE` : `(v::DOUBLE - ${literal}::DOUBLE)`;
  return await sumDistances(work, distance, count, Number(reach) / Number(`1e${scale}`));
}

async function sumDistances(
  work: ColumnWork,
  distance: string,
  count: number,
  reach: number,
): Promise<PivotSums> {
  const exponent = exponentOf(reach);
  const scaled = timesPowerOfTwo(distance, -exponent);
  const [sum, squares] = await readSums(work, [onGrid(scaled), onGrid(`(${scaled} * ${scaled})`)]);
  return { count, sum, squares, gridBits, exponent };
}

async function readSums(
  { connection, signal }: ColumnWork,
  terms: readonly string[],
): Promise<readonly [bigint, bigint, bigint]> {
  const sums = terms.map((term) => `coalesce(sum(${term} * n), 0)::HUGEINT`).join(', ');
  const result = await runQuery(connection, `SELECT ${sums} FROM groups`, signal);
  const [first = 0n, second = 0n, third = 0n] = (result.getRows()[0] ?? []) as bigint[];
  return [first, second, third];
}

function onGrid(term: string): string {
  return `(${term} * ${grid})::HUGEINT`;
}

/** In two steps if one factor would overflow. */
function timesPowerOfTwo(term: string, exponent: number): string {
  const half = Math.abs(exponent) > 1000 ? Math.trunc(exponent / 2) : 0;
  return [half, exponent - half]
    .filter((part) => part !== 0)
    .reduce((product, part) => `(${product} * '${powerOfTwo(part)}'::DOUBLE)`, term);
}
