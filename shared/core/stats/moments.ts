export interface Moments {
  /** Values that are not NaN. */
  readonly count: number;
  /** NaN when count is 0. */
  readonly mean: number;
  /** The population standard deviation (divided by count); 0 when all values are equal, NaN when count is 0. */
  readonly deviation: number;
}

/**
 * Mean and standard deviation in two passes over the chosen rows, which loses fewer digits than sums of squares.
 * NaN means missing and is left out; an infinity makes the mean infinite or NaN.
 *
 * @param values One value a row.
 * @param rows Indices into `values`.
 * @see Chan, Golub & LeVeque, "Algorithms for computing the sample variance", 1983 (the two-pass algorithm)
 * @example
 * computeMoments(Float32Array.of(1, 3, NaN), Int32Array.of(0, 1, 2)) // { count: 2, mean: 2, deviation: 1 }
 */
export function computeMoments(values: Float32Array | Float64Array, rows: Int32Array): Moments {
  let count = 0;
  let sum = 0;
  for (const row of rows) {
    const value = values[row]!;
    if (Number.isNaN(value)) continue;
    count += 1;
    sum += value;
  }
  const mean = sum / count;
  let squares = 0;
  let residue = 0;
  for (const row of rows) {
    const distance = values[row]! - mean;
    if (Number.isNaN(distance)) continue;
    squares += distance * distance;
    residue += distance;
  }
  // The residue would be 0 in exact arithmetic; what it is instead corrects the sum of squares.
  return { count, mean, deviation: Math.sqrt(Math.max(0, squares - (residue * residue) / count) / count) };
}
