import type { Metric } from './metric.ts';

/**
 * The coefficient of determination: the share of the target's variance that the predictions explain.
 *
 *   R² = 1 - Σ (target - prediction)² / Σ (target - mean target)²
 *
 * Always predicting the mean gives 0; worse predictions give less than 0. Cost O(n), in two passes, which loses
 * fewer digits than sums of squares.
 *
 * @param predictions One a row.
 * @param targets One a row.
 * @returns 1 or less, higher is better; NaN when all targets are equal (scikit-learn returns 0 or 1 there), for no
 *   rows, or when a value is NaN.
 * @see https://scikit-learn.org/stable/modules/model_evaluation.html#r2-score
 * @example
 * computeR2Score(Float64Array.of(1, 2, 4), Float64Array.of(1, 2, 3)) // 0.5
 */
export function computeR2Score(predictions: Float64Array, targets: Float64Array): number {
  let sum = 0;
  for (const target of targets) sum += target;
  const mean = sum / targets.length;
  let unexplained = 0;
  let total = 0;
  for (const [row, target] of targets.entries()) {
    const error = target - predictions[row]!;
    const distance = target - mean;
    unexplained += error * error;
    total += distance * distance;
  }
  return total === 0 ? NaN : 1 - unexplained / total;
}

export const r2Score = {
  description: "The share of the target's variance that the predictions explain.",
  direction: 'higher',
  range: [-Infinity, 1],
  compute: { regression: ({ predictions, targets }) => computeR2Score(predictions, targets) },
} as const satisfies Metric;
