/**
 * The mean negative log-likelihood of the labels: -(1/n) Σ ln(p if y = 1, else 1 - p), in nats.
 *
 * Probabilities are held to [ε, 1 - ε] with ε = 2^-52, so that one sure and wrong answer costs about 36 nats, not
 * infinity. Cost O(n).
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
    const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, probabilities[row]!));
    sum -= Math.log(labels[row] === 1 ? p : 1 - p);
  }
  return sum / labels.length;
}
