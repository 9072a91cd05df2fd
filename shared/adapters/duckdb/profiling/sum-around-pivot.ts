import { exponentOf, type PivotSums } from '../../../domains/datasets/profiles/moments.ts';
import { runQuery } from '../run-query.ts';
import type { ColumnWork } from './groups.ts';

/** Terms of at most 2, and up to 2^35 of them, add up to less than 2^127. */
const gridBits = 90;
const grid = `${2 ** gridBits}::DOUBLE`;

export interface Extent<Value> {
  readonly count: number;
  readonly min: Value;
  readonly max: Value;
  readonly median: Value;
}

/**
 * Sums of doubles depend on their order, which depends on threads: each term is rounded to a whole number of 2^-90ths
 * of the largest first, and whole numbers are added. What that rounds off of the values themselves is added as well, in
 * 2^-180ths, so that a mean is not spoilt by one huge value.
 */
export async function sumDoubles(
  work: ColumnWork,
  { count, min, max, median }: Extent<number>,
): Promise<{ readonly aroundZero: Omit<PivotSums, 'squares'>; readonly aroundMedian: PivotSums }> {
  const size = exponentOf(min, max);
  // Halves: the difference of two doubles can be infinite.
  const spread = exponentOf(min / 2 - median / 2, max / 2 - median / 2) + 1;
  const value = `(${timesPowerOfTwo('v', -size)} * ${grid})`;
  const distance = `(${timesPowerOfTwo('v', -spread)} - ${timesPowerOfTwo(`'${median}'::DOUBLE`, -spread)})`;
  const [high, sum, squares] = await readSums(work, [
    `${value}::HUGEINT`,
    onGrid(distance),
    onGrid(`(${distance} * ${distance})`),
  ]);
  // Of 53 bits of a double none lies below the grid unless the value is that small.
  const hasRest = (await readSmallest(work)) < 2 ** (size - (gridBits - 53));
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
  // Small ones are added up as they are.
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
  return await sumDistances(work, distance, count, Number(reach) / 10 ** scale);
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

/** In two steps where one factor would be no double. */
function timesPowerOfTwo(term: string, exponent: number): string {
  const half = Math.abs(exponent) > 1000 ? Math.trunc(exponent / 2) : 0;
  return [half, exponent - half]
    .filter((part) => part !== 0)
    .reduce((product, part) => `(${product} * '${2 ** part}'::DOUBLE)`, term);
}
