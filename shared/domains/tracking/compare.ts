import type { Run, RunInfo } from './entities.ts';
import { trackingErrors } from './errors.ts';

export const maxComparedRuns = 100;
/** Concurrent reads: a run's document can have two megabytes. */
const readsAtOnce = 8;
/** Total text of a comparison, in characters, which one answer must hold. */
const maxComparedChars = 16 * 2 ** 20;

/** The values of one key, in the order of the runs; undefined where a run lacks it. */
export interface ComparedRow<Value> {
  readonly key: string;
  readonly values: readonly (Value | undefined)[];
}

export interface RunComparison {
  readonly runs: readonly RunInfo[];
  readonly params: readonly ComparedRow<string>[];
  readonly metrics: readonly ComparedRow<number>[];
  readonly tags: readonly ComparedRow<string>[];
}

/**
 * Reads runs and compares them.
 *
 * @throws NOT_FOUND; INVALID_ARGUMENT outside 1–100 runs, or for more text than an answer can hold
 */
export async function compareStoredRuns(
  getRun: (runId: string) => Promise<Run>,
  runIds: readonly string[],
  which: 'different' | 'all',
): Promise<RunComparison> {
  if (runIds.length < 1 || runIds.length > maxComparedRuns)
    throw trackingErrors.comparedRunsOutOfRange({ count: runIds.length, limit: maxComparedRuns });
  const runs: Run[] = [];
  let chars = 0;
  for (let start = 0; start < runIds.length; start += readsAtOnce) {
    for (const run of await Promise.all(runIds.slice(start, start + readsAtOnce).map(getRun))) {
      chars += countChars(compareAll([run], 'all'));
      if (chars > maxComparedChars) throw trackingErrors.comparisonTooLarge();
      // Links are not compared: drop them early, they can be large.
      runs.push({ ...run, links: { datasetInputs: [], modelInputs: [], modelOutputs: [] } });
    }
  }
  return compareRuns(runs, which);
}

/**
 * Compares runs: a row for each param, latest metric and tag of any of them, sorted by key.
 *
 * @param which `different` omits rows with the same value in every run; a missing value differs from any other, NaN
 *   equals NaN
 * @throws INVALID_ARGUMENT when the rows would hold more than 16 million characters
 */
export function compareRuns(runs: readonly Run[], which: 'different' | 'all'): RunComparison {
  const comparison = compareAll(runs, which);
  if (countChars(comparison) > maxComparedChars) throw trackingErrors.comparisonTooLarge();
  return comparison;
}

function compareAll(runs: readonly Run[], which: 'different' | 'all'): RunComparison {
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

function compareMaps<Value>(
  maps: readonly ReadonlyMap<string, Value>[],
  which: 'different' | 'all',
): ComparedRow<Value>[] {
  const keys = [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
  const rows = keys.map((key) => ({ key, values: maps.map((map) => map.get(key)) }));
  if (which === 'all') return rows;
  return rows.filter(({ values }) => values.some((value) => !isSame(value, values[0])));
}

/** NaN equals NaN, and 0 equals -0. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function countChars({ params, tags, metrics }: RunComparison): number {
  const texts = [...params, ...tags].reduce(
    (sum, { key, values }) => values.reduce((inner, value) => inner + (value?.length ?? 4), sum + key.length),
    0,
  );
  return metrics.reduce((sum, { key, values }) => sum + key.length + values.length * 8, texts);
}
