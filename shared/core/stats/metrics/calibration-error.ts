import type { Metric } from './metric.ts';

/**
 * The expected calibration error: the mean gap between predicted probabilities and observed frequencies. Rows go
 * into B equally wide bins of [0, 1] by probability (bin b holds b/B <= p < (b+1)/B, the last one also p = 1), then
 *
 *   ECE = Σ_b (n_b / n) |mean p in b - share of positives in b|
 *
 * Empty bins add nothing. Cost O(n + B).
 *
 * @param probabilities One a row, 0 to 1.
 * @param labels 0 or 1 a row.
 * @returns 0 to 1, lower is better; NaN for no rows.
 * @see Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3
 * @example
 * computeCalibrationErrorDistance(Float64Array.of(0.75, 0.75), Uint8Array.of(0, 1)) // 0.25
 */
export function computeCalibrationErrorDistance(
  probabilities: Float64Array,
  labels: Uint8Array,
  bins = 10,
): number {
  const surplus = new Float64Array(bins);
  for (let row = 0; row < labels.length; row++) {
    const p = probabilities[row]!;
    const bin = Math.min(bins - 1, Math.floor(p * bins));
    surplus[bin] = surplus[bin]! + p - labels[row]!;
  }
  // n_b |mean p - mean y| is |Σ p - Σ y|: the counts cancel.
  let sum = 0;
  for (const bin of surplus) sum += Math.abs(bin);
  return sum / labels.length;
}

export const calibrationErrorDistance = {
  description: 'The mean gap between predicted probabilities and observed frequencies, over ten bins.',
  direction: 'lower',
  range: [0, 1],
  compute: { binary: ({ probabilities, labels }) => computeCalibrationErrorDistance(probabilities, labels) },
} as const satisfies Metric;
