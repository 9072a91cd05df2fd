import type { Metric } from './metric.ts';

/**
 * The root of the mean squared error, in the unit of the target: √((1/n) Σ (prediction - target)²). Large errors
 * weigh more than in the mean absolute error. Cost O(n).
 *
 * @param predictions One a row.
 * @param targets One a row.
 * @returns 0 or more, lower is better; NaN for no rows, or when a value is NaN.
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.root_mean_squared_error.html
 * @example
 * computeRmseDistance(Float64Array.of(1, 5), Float64Array.of(1, 2)) // Math.sqrt(4.5)
 */
export function computeRmseDistance(predictions: Float64Array, targets: Float64Array): number {
  let sum = 0;
  for (const [row, target] of targets.entries()) {
    const error = predictions[row]! - target;
    sum += error * error;
  }
  return Math.sqrt(sum / targets.length);
}

export const rmseDistance = {
  description: 'The root of the mean squared error, in the unit of the target.',
  direction: 'lower',
  range: [0, Infinity],
  compute: { regression: ({ predictions, targets }) => computeRmseDistance(predictions, targets) },
} as const satisfies Metric;
