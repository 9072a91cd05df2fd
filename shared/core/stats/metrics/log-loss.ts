import { log } from '../log.ts';
import type { Metric, ScoredRows } from './metric.ts';

/**
 * The mean negative log-likelihood of the labels: -(1/n) Σ ln(p if y = 1, else 1 - p), in nats.
 *
 * Probabilities are clipped to [ε, 1 - ε] with ε = 2^-52, so that one certain and wrong prediction costs about 36
 * nats instead of infinity. Cost O(n).
 *
 * @param probabilities One a row, 0 to 1.
 * @param labels 0 or 1 a row.
 * @returns 0 or more, lower is better; NaN for no rows.
 * @see https://scikit-learn.org/stable/modules/model_evaluation.html#log-loss
 * @example
 * computeLogLossDistance(Float64Array.of(0.5, 0.5), Uint8Array.of(0, 1)) // 0.6931471805599453
 */
export function computeLogLossDistance(probabilities: Float64Array, labels: Uint8Array): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const p = probabilities[row]!;
    sum -= log(clip(labels[row] === 1 ? p : 1 - p));
  }
  return sum / labels.length;
}

/**
 * The same for several classes: -(1/n) Σ ln(probability of the true class). Each row is first divided by its sum,
 * since float32 probabilities sum to 1 only nearly. Cost O(n k).
 *
 * @returns 0 or more, lower is better; NaN for no rows.
 * @example
 * const probabilities = Float64Array.of(0.5, 0.25, 0.25);
 * computeMulticlassLogLossDistance({ classes: 3, probabilities, labels: Int32Array.of(0) }) // 0.6931471805599453
 */
export function computeMulticlassLogLossDistance(rows: ScoredRows<'multiclass'>): number {
  const { classes, probabilities, labels } = rows;
  let sum = 0;
  for (const [row, label] of labels.entries()) {
    let total = 0;
    for (let index = 0; index < classes; index++) total += probabilities[row * classes + index]!;
    sum -= log(clip(probabilities[row * classes + label]! / total));
  }
  return sum / labels.length;
}

function clip(probability: number): number {
  return Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, probability));
}

export const logLossDistance = {
  description: 'The mean negative log-likelihood of the true classes, in nats.',
  direction: 'lower',
  range: [0, Infinity],
  compute: {
    binary: ({ probabilities, labels }) => computeLogLossDistance(probabilities, labels),
    multiclass: computeMulticlassLogLossDistance,
  },
} as const satisfies Metric;
