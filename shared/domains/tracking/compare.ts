import { AppError } from '../../core/errors.ts';
import type { Run, RunInfo } from './entities.ts';

export const maxComparedRuns = 100;
/** Reads at once: a run can be a document of two megabytes. */
const readsAtOnce = 8;
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
 * Reads runs and sets them side by side.
 *
 * @throws NOT_FOUND when one is not there; INVALID_ARGUMENT for none, more than 100, or more than an answer can hold
 */
export async function compareStoredRuns(
  getRun: (runId: string) => Promise<Run>,
  runIds: readonly string[],
  which: 'different' | 'all',
): Promise<Comparison> {
  if (runIds.length < 1 || runIds.length > maxComparedRuns)
    throw new AppError(
      'INVALID_ARGUMENT',
      `A comparison is of 1 to ${maxComparedRuns} runs: ${runIds.length} were named.`,
    );
  const runs: Run[] = [];
  let chars = 0;
  for (let start = 0; start < runIds.length; start += readsAtOnce) {
    for (const run of await Promise.all(runIds.slice(start, start + readsAtOnce).map(getRun))) {
      chars += countChars(compareAll([run], 'all'));
      if (chars > maxComparedChars) throw tooMuch();
      // What is not compared need not be held until all are read.
      runs.push({ ...run, links: { datasetInputs: [], modelInputs: [], modelOutputs: [] } });
    }
  }
  return compareRuns(runs, which);
}

/**
 * Sets runs side by side: a row for each param, latest metric and tag that any of them has, by key.
 *
 * @param which `different` leaves out the rows whose values are the same in every run; a missing value differs from
 *   any other, NaN equals NaN
 * @throws INVALID_ARGUMENT when the rows would hold more than 16 million characters
 */
export function compareRuns(runs: readonly Run[], which: 'different' | 'all'): Comparison {
  const comparison = compareAll(runs, which);
  if (countChars(comparison) > maxComparedChars) throw tooMuch();
  return comparison;
}

function compareAll(runs: readonly Run[], which: 'different' | 'all'): Comparison {
  return {
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
}

function tooMuch(): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    'These runs hold too much to be compared at once: name fewer of them.',
  );
}

function compareMaps<Value>(
  maps: readonly ReadonlyMap<string, Value>[],
  which: 'different' | 'all',
): ComparedRow<Value>[] {
  const keys = [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
  const rows = keys.map((key) => ({ key, values: maps.map((map) => map.get(key)) }));
  if (which === 'all') return rows;
  return rows.filter(({ values }) => values.some((value) => !isSame(value, values[0])));
}

/** NaN is NaN, and 0 is -0. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function countChars({ params, tags, metrics }: Comparison): number {
  const texts = [...params, ...tags].reduce(
    (sum, { key, values }) => values.reduce((inner, value) => inner + (value?.length ?? 4), sum + key.length),
    0,
  );
  return metrics.reduce((sum, { key, values }) => sum + key.length + values.length * 8, texts);
}
