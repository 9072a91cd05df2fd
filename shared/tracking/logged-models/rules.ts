import { AppError } from '../../core/errors.ts';
import type { Tag } from '../entities.ts';
import { checkLength, trackingLimits } from '../limits.ts';
import type { ModelMetric } from './entities.ts';
import { compareForModel } from './documents.ts';

const maxNameLength = 500;
/** Not those of runs: other parts of MLflow keep lists as JSON in a model's tags. */
const maxValueLength = 65_535;
/** Metrics by run and dataset: a model's document holds them all. */
export const maxModelMetrics = 2_000;

/** @throws INVALID_ARGUMENT in MLflow's words */
export function checkModelName(name: string): void {
  if (!/^[^/:.%"']+$/.test(name))
    throw new AppError(
      'INVALID_ARGUMENT',
      `Invalid model name ('${name.slice(0, 100)}') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
    );
  checkLength(name, maxNameLength, 'name');
}

/** @throws INVALID_ARGUMENT */
export function checkPairs(what: 'params' | 'tags', pairs: readonly Tag[]): void {
  for (const [index, { key, value }] of pairs.entries()) {
    checkLength(key, trackingLimits.keyCharacters, `${what}[${index}].key`);
    checkLength(value, maxValueLength, `${what}[${index}].value`);
  }
}

/**
 * Params are written once: the same value again is fine.
 *
 * @throws INVALID_ARGUMENT for another value
 */
export function addParams(
  params: ReadonlyMap<string, string>,
  added: readonly Tag[],
): ReadonlyMap<string, string> {
  const result = new Map(params);
  for (const { key, value } of added) {
    const known = result.get(key);
    if (known !== undefined && known !== value)
      throw new AppError(
        'INVALID_ARGUMENT',
        `Changing param values is not allowed. Param with key='${key}' was already logged with value='${known.slice(0, 250)}' for this model. Attempted logging new value '${value.slice(0, 250)}'.`,
      );
    result.set(key, value);
  }
  return result;
}

/**
 * Keeps of each metric the latest point by run and dataset: the same points, in any order and any number of times,
 * come to the same.
 *
 * @returns the very same list when nothing is newer
 * @throws INVALID_ARGUMENT when a model would have more than 2,000 of them
 */
export function addMetrics(
  metrics: readonly ModelMetric[],
  added: readonly ModelMetric[],
): readonly ModelMetric[] {
  const latest = new Map(metrics.map((metric) => [placeOf(metric), metric]));
  let isChanged = false;
  for (const metric of added) {
    const place = placeOf(metric);
    const known = latest.get(place);
    if (known !== undefined && compareForModel(metric, known) <= 0) continue;
    latest.set(place, metric);
    isChanged = true;
  }
  if (!isChanged) return metrics;
  if (latest.size > maxModelMetrics)
    throw new AppError(
      'INVALID_ARGUMENT',
      `A logged model holds at most ${maxModelMetrics} metrics, counted by run and dataset.`,
    );
  return [...latest.values()];
}

function placeOf({ key, runId, datasetName, datasetDigest }: ModelMetric): string {
  return JSON.stringify([key, runId, datasetName ?? null, datasetDigest ?? null]);
}
