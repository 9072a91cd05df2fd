import type { Metric } from './metric.ts';

/**
 * The share of positives.
 *
 * @param labels 0 or 1 a row.
 * @returns 0 to 1; NaN for no rows.
 * @example
 * computeBaseRate(Uint8Array.of(0, 1, 1, 1)) // 0.75
 */
export function computeBaseRate(labels: Uint8Array): number {
  let positives = 0;
  for (const label of labels) positives += label;
  return positives / labels.length;
}

export const baseRate = {
  description: 'The share of positive rows.',
  direction: 'none',
  range: [0, 1],
  compute: { binary: ({ labels }) => computeBaseRate(labels) },
} as const satisfies Metric;
