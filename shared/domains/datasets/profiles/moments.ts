import { ceilLog2 } from '../../../core/stats/floor-log2.ts';
import { powerOfTwo } from '../../../core/stats/power-of-two.ts';
import { ratio } from '../../../core/stats/ratio.ts';

/**
 * Sums of `value - pivot` over all values. They are integers, so they do not depend on the order of summation:
 * `sum = Σ (value - pivot) · 2^(gridBits - exponent)` and `squares = Σ (value - pivot)² · 2^(gridBits - 2·exponent)`, each
 * term rounded to an integer.
 */
export interface PivotSums {
  readonly count: number;
  readonly sum: bigint;
  readonly squares: bigint;
  readonly gridBits: number;
  readonly exponent: number;
}

/**
 * The sample standard deviation, √((Σd² - (Σd)²/n) / (n - 1)) with d = value - pivot. With the median as the pivot the
 * subtraction loses at most one bit, because the mean is within one standard deviation of the median.
 *
 * @returns undefined for fewer than two values, and for a result beyond the largest double
 * @see https://en.wikipedia.org/wiki/Median#Inequality_relating_means_and_medians
 */
export function sampleDeviation({ count, sum, squares, gridBits, exponent }: PivotSums): number | undefined {
  if (count < 2) return undefined;
  const n = BigInt(count);
  const grid = 1n << BigInt(gridBits);
  const numerator = squares * grid * n - sum * sum;
  if (numerator <= 0n) return 0;
  const inGrid = Math.sqrt(ratio(numerator, grid * grid * n * (n - 1n)));
  const half = Math.trunc(exponent / 2);
  const deviation = inGrid * powerOfTwo(half) * powerOfTwo(exponent - half);
  return Number.isFinite(deviation) ? deviation : undefined;
}

/** Σd/n for a pivot of 0. Rounded once. */
export function meanAroundZero(sums: Omit<PivotSums, 'squares'>): number {
  return meanAroundPivot(sums, 0n, 0);
}

/** pivot + Σd/n for a pivot given as the integer `pivot` divided by 10^`scale`. Rounded once. */
export function meanAroundPivot(sums: Omit<PivotSums, 'squares'>, pivot: bigint, scale: number): number {
  const { count, sum, gridBits, exponent } = sums;
  const n = BigInt(count);
  const shift = gridBits - exponent;
  const [times, over] = shift >= 0 ? [1n, 1n << BigInt(shift)] : [1n << BigInt(-shift), 1n];
  const tens = 10n ** BigInt(scale);
  return ratio(pivot * n * over + sum * times * tens, n * over * tens);
}

/** The least e with |value| ≤ 2^e for all finite values; 0 if all are 0. */
export function exponentOf(...values: readonly number[]): number {
  const largest = Math.max(...values.map(Math.abs));
  return largest === 0 ? 0 : ceilLog2(largest);
}
