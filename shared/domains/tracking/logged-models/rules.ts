import { AppError } from '../../../core/errors.ts';
import type { Tag } from '../entities.ts';
import { checkLength, trackingLimits } from '../limits.ts';
import type { ModelMetric } from './entities.ts';
import { compareForModel, latestOf, seriesOf } from './documents.ts';

const maxNameLength = 500;
/** Not those of runs: other parts of MLflow keep lists as JSON in a model's tags. */
const maxValueLength = 65_535;
/** Metrics by run and dataset: a model's document holds them all. */
const maxModelMetrics = 2_000;
/** Points before the latest ones: the document is written anew with each point that comes. */
const maxEarlierPoints = 1_000;

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
 * Adds points: the same ones, in any order and any number of times, come to the same. Of each metric the latest by run
 * and dataset stays, and of all others the newest 1,000: which go does not depend on the order, as what is once behind
 * a thousand newer ones stays behind them.
 *
 * @returns the very same list when nothing is new
 * @throws INVALID_ARGUMENT when a model would have more than 2,000 metrics by run and dataset
 */
export function addMetrics(
  metrics: readonly ModelMetric[],
  added: readonly ModelMetric[],
): readonly ModelMetric[] {
  const points = new Map(metrics.map((metric) => [placeOf(metric), metric]));
  for (const metric of added) {
    const place = placeOf(metric);
    if (!points.has(place)) points.set(place, metric);
  }
  if (points.size === metrics.length) return metrics;
  const all = [...points.values()];
  const latest = new Set(latestOf(all, seriesOf).values());
  if (latest.size > maxModelMetrics)
    throw new AppError(
      'INVALID_ARGUMENT',
      `A logged model holds at most ${maxModelMetrics} metrics, counted by run and dataset.`,
    );
  const earlier = all.filter((metric) => !latest.has(metric));
  if (earlier.length <= maxEarlierPoints) return all;
  earlier.sort((a, b) => compareForModel(b, a) || (placeOf(a) < placeOf(b) ? -1 : 1));
  const gone = new Set(earlier.slice(maxEarlierPoints));
  const kept = all.filter((metric) => !gone.has(metric));
  // What is told again can have gone before.
  const known = new Set(metrics);
  return kept.every((metric) => known.has(metric)) ? metrics : kept;
}

function placeOf(metric: ModelMetric): string {
  // -0 and 0 are one value.
  return `${metric.timestamp} ${metric.step} ${String(metric.value)} ${seriesOf(metric)}`;
}
