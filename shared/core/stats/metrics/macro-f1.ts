import type { Metric, ScoredRows } from './metric.ts';
import { pickClasses } from './pick-classes.ts';

/**
 * The mean over the classes of F1, the harmonic mean of precision and recall, each class counting the same however
 * rare it is:
 *
 *   F1_c = 2 TP_c / (2 TP_c + FP_c + FN_c)
 *
 * A class that neither occurs nor is predicted has no F1 and is left out. Cost O(n k).
 *
 * @returns 0 to 1, higher is better; NaN for no rows.
 * @see https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html (average="macro")
 * @example
 * const probabilities = Float64Array.of(0.5, 0.3, 0.2, 0.1, 0.2, 0.7);
 * computeMacroF1Score({ classes: 3, probabilities, labels: Int32Array.of(0, 1) }) // 1 / 3
 */
export function computeMacroF1Score(rows: ScoredRows<'multiclass'>): number {
  const { classes, labels } = rows;
  const hits = new Float64Array(classes);
  /** Of each class, rows where it is the true one and rows where it is predicted: 2 TP + FP + FN. */
  const mentions = new Float64Array(classes);
  for (const [row, picked] of pickClasses(rows).entries()) {
    const label = labels[row]!;
    mentions[label] = mentions[label]! + 1;
    mentions[picked] = mentions[picked]! + 1;
    if (picked === label) hits[label] = hits[label]! + 1;
  }
  let sum = 0;
  let present = 0;
  for (const [index, count] of mentions.entries()) {
    if (count === 0) continue;
    present += 1;
    sum += (2 * hits[index]!) / count;
  }
  return sum / present;
}

export const macroF1Score = {
  description: 'The mean of the F1 scores of the classes, each counting the same.',
  direction: 'higher',
  range: [0, 1],
  compute: { multiclass: computeMacroF1Score },
} as const satisfies Metric;
