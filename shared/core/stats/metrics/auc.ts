import type { Metric } from './metric.ts';

/**
 * The area under the ROC curve: the chance that a random positive is scored above a random negative, a tie
 * counting one half:
 *
 *   AUC = (#{s⁺ > s⁻} + ½ #{s⁺ = s⁻}) / (n⁺ n⁻)
 *
 * Exact: the counts are whole numbers or halves, below 2^53 for up to 90 million rows. Cost O(n log n).
 *
 * @param scores One a row, higher meaning more likely positive; no NaN.
 * @param labels 0 or 1 a row.
 * @returns 0 to 1, higher is better; NaN when either class is absent.
 * @see Fawcett, "An introduction to ROC analysis", 2006, section 7
 * @example
 * computeAucScore(Float64Array.of(0.1, 0.4, 0.35, 0.8), Uint8Array.of(0, 0, 1, 1)) // 0.75
 */
export function computeAucScore(scores: Float64Array, labels: Uint8Array): number {
  // Native sorts of plain numbers: several times faster than sorting indices with a comparator.
  const positives = scores.filter((_, row) => labels[row] === 1).sort();
  const negatives = scores.filter((_, row) => labels[row] === 0).sort();
  let below = 0;
  let upTo = 0;
  let wins = 0;
  for (const score of positives) {
    while (below < negatives.length && negatives[below]! < score) below += 1;
    upTo = Math.max(upTo, below);
    while (upTo < negatives.length && negatives[upTo]! <= score) upTo += 1;
    wins += below + 0.5 * (upTo - below);
  }
  return wins / (positives.length * negatives.length);
}

export const aucScore = {
  description: 'The chance that a random positive row gets a higher probability than a random negative one.',
  direction: 'higher',
  range: [0, 1],
  compute: { binary: ({ probabilities, labels }) => computeAucScore(probabilities, labels) },
} as const satisfies Metric;
