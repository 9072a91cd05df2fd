import { AppError } from '../core/errors.ts';
import type { Run, RunInfo } from './entities.ts';

export const maxComparedRuns = 100;
/** Of all texts of a comparison together, in characters: what one answer may hold. */
const maxComparedChars = 16 * 2 ** 20;

/** One key across the runs, its values in the runs' order; undefined where a run lacks it. */
export interface ComparedRow<Value> {
  readonly key: string;
  readonly values: readonly (Value | undefined)[];
}

export interface Comparison {
  readonly runs: readonly RunInfo[];
  readonly params: readonly ComparedRow<string>[];
  readonly metrics: readonly ComparedRow<number>[];
  readonly tags: readonly ComparedRow<string>[];
}

/**
 * Sets runs side by side: a row for each param, latest metric and tag that any of them has, by key.
 *
 * @param which `different` leaves out the rows whose values are the same in every run; a missing value differs from
 *   any other, NaN equals NaN
 * @throws INVALID_ARGUMENT when the rows would hold more than 16 million characters
 */
export function compareRuns(runs: readonly Run[], which: 'different' | 'all'): Comparison {
  const comparison: Comparison = {
    runs: runs.map(({ info }) => info),
    params: compareMaps(
      runs.map(({ params }) => params),
      which,
    ),
    metrics: compareMaps(
      runs.map(({ metrics }) => new Map([...metrics].map(([key, { value }]) => [key, value]))),
      which,
    ),
    tags: compareMaps(
      runs.map(({ tags }) => tags),
      which,
    ),
  };
  if (countChars(comparison) > maxComparedChars)
    throw new AppError(
      'INVALID_ARGUMENT',
      'These runs hold too much to be compared at once: name fewer of them.',
    );
  return comparison;
}

function compareMaps<Value>(
  maps: readonly ReadonlyMap<string, Value>[],
  which: 'different' | 'all',
): ComparedRow<Value>[] {
  const keys = [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
  const rows = keys.map((key) => ({ key, values: maps.map((map) => map.get(key)) }));
  if (which === 'all') return rows;
  return rows.filter(({ values }) => values.some((value) => !Object.is(value, values[0])));
}

function countChars({ params, tags, metrics }: Comparison): number {
  const texts = [...params, ...tags].reduce(
    (sum, { key, values }) => values.reduce((inner, value) => inner + (value?.length ?? 4), sum + key.length),
    0,
  );
  return metrics.reduce((sum, { key, values }) => sum + key.length + values.length * 8, texts);
}
