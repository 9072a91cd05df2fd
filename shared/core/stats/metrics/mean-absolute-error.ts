import type { Metric } from './metric.ts';

/**
 * The mean absolute error, in the unit of the target: (1/n) Σ |prediction - target|. Cost O(n).
 *
 * @param predictions One a row.
 * @param targets One a row.
 * @returns 0 or more, lower is better; NaN for no rows, or when a value is NaN.
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.mean_absolute_error.html
 * @example
 * computeMaeDistance(Float64Array.of(1, 5), Float64Array.of(1, 2)) // 1.5
 */
export function computeMaeDistance(predictions: Float64Array, targets: Float64Array): number {
  let sum = 0;
  for (const [row, target] of targets.entries()) sum += Math.abs(predictions[row]! - target);
  return sum / targets.length;
}

export const maeDistance = {
  description: 'The mean absolute error, in the unit of the target.',
  direction: 'lower',
  range: [0, Infinity],
  compute: { regression: ({ predictions, targets }) => computeMaeDistance(predictions, targets) },
} as const satisfies Metric;
