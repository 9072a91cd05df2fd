import type { ProfileLimits } from './table-profiler.ts';

/** 8 MiB: one JSON document of that size does not block the event loop for long. */
const maxBytes = 8 * 2 ** 20;

/** The more columns, the less is kept per column: the profile of 10,000 columns has a few megabytes. */
export function chooseLimits(columns: number, asked: Partial<ProfileLimits> = {}): ProfileLimits {
  if (columns <= 200)
    return {
      topValues: 20,
      textChars: 256,
      histogramBuckets: 30,
      quantiles: 'every-percent',
      maxBytes,
      ...asked,
    };
  if (columns <= 2_000)
    return {
      topValues: 10,
      textChars: 64,
      histogramBuckets: 20,
      quantiles: 'every-5-percent',
      maxBytes,
      ...asked,
    };
  return { topValues: 3, textChars: 32, histogramBuckets: 10, quantiles: 'seven', maxBytes, ...asked };
}

/** In percent, ascending. */
export function quantilePercents(quantiles: ProfileLimits['quantiles']): readonly number[] {
  switch (quantiles) {
    case 'every-percent':
      return Array.from({ length: 99 }, (_, index) => index + 1);
    case 'every-5-percent':
      return [1, ...Array.from({ length: 19 }, (_, index) => 5 * (index + 1)), 99];
    case 'seven':
      return [1, 5, 25, 50, 75, 95, 99];
  }
}
