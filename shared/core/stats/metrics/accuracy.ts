import { pickClasses } from './pick-classes.ts';
import type { Metric, ScoredRows } from './metric.ts';

/**
 * The share of rows where "probability >= threshold" equals the label. Compare it with the accuracy of always
 * answering the more frequent class: max(base rate, 1 - base rate). Cost O(n).
 *
 * @param probabilities One a row.
 * @param labels 0 or 1 a row.
 * @returns 0 to 1, higher is better; NaN for no rows.
 * @see https://scikit-learn.org/stable/modules/model_evaluation.html#accuracy-score
 * @example
 * computeAccuracyScore(Float64Array.of(0.2, 0.5), Uint8Array.of(0, 1)) // 1
 */
export function computeAccuracyScore(
  probabilities: Float64Array,
  labels: Uint8Array,
  threshold = 0.5,
): number {
  let correct = 0;
  for (let row = 0; row < labels.length; row++)
    if (probabilities[row]! >= threshold === (labels[row] === 1)) correct += 1;
  return correct / labels.length;
}

/**
 * The share of rows whose most probable class is the true one; the first class wins a tie. Cost O(n k).
 *
 * @returns 0 to 1, higher is better; NaN for no rows.
 * @example
 * const probabilities = Float64Array.of(0.5, 0.3, 0.2, 0.1, 0.2, 0.7);
 * computeMulticlassAccuracyScore({ classes: 3, probabilities, labels: Int32Array.of(0, 1) }) // 0.5
 */
export function computeMulticlassAccuracyScore(rows: ScoredRows<'multiclass'>): number {
  const { labels } = rows;
  let correct = 0;
  for (const [row, picked] of pickClasses(rows).entries()) if (picked === labels[row]) correct += 1;
  return correct / labels.length;
}

export const accuracyScore = {
  description: 'The share of rows whose predicted class is the true one.',
  direction: 'higher',
  range: [0, 1],
  compute: {
    binary: ({ probabilities, labels }) => computeAccuracyScore(probabilities, labels),
    multiclass: computeMulticlassAccuracyScore,
  },
} as const satisfies Metric;
