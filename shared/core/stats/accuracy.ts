/**
 * The share of rows where "probability >= threshold" is the label. Compare it with always answering the commoner
 * class: max(base rate, 1 - base rate). Cost O(n).
 *
 * @param probabilities One a row.
 * @param labels 0 or 1 a row.
 * @returns 0 to 1, higher is better; NaN for no rows.
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
