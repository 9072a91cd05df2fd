import type { Predictions } from './metric.ts';

/**
 * The index of each row's most probable class. The first class wins a tie; a NaN never wins.
 *
 * @example
 * const probabilities = Float64Array.of(0.4, 0.4, 0.2, 0.1, 0.2, 0.7);
 * pickClasses({ classes: 3, probabilities }) // Int32Array.of(0, 2)
 */
export function pickClasses({ classes, probabilities }: Predictions['multiclass']): Int32Array {
  const picked = new Int32Array(probabilities.length / classes);
  for (let row = 0; row < picked.length; row++) {
    let best = -Infinity;
    for (let index = 0; index < classes; index++) {
      const probability = probabilities[row * classes + index]!;
      if (probability > best) {
        best = probability;
        picked[row] = index;
      }
    }
  }
  return picked;
}
