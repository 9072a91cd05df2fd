import type { Tag } from '../entities.ts';
import { type Place, trackingErrors } from '../errors.ts';
import { checkLength, trackingLimits } from '../limits.ts';
import type { ModelMetric } from './entities.ts';
import { compareForModel, latestOf, seriesOf } from './documents.ts';

const maxNameLength = 500;
/** More than runs have: clients store JSON lists in the tags of models. */
const maxValueLength = 65_535;
/** Counted by run and dataset: one document holds them all. */
const maxModelMetrics = 2_000;
/** Points besides the latest ones: each new point rewrites the document. */
const maxEarlierPoints = 1_000;
const maxQuotedLength = 250;

/** @throws INVALID_ARGUMENT */
export function checkLoggedModelName(name: string): void {
  if (!/^[^/:.%"']+$/.test(name)) throw trackingErrors.loggedModelNameInvalid({ name: name.slice(0, 100) });
  checkLength(name, maxNameLength, { of: 'loggedModel', member: 'name' });
}

/** @throws INVALID_ARGUMENT */
export function checkPairs(of: Place['of'], pairs: readonly Tag[]): void {
  for (const [index, { key, value }] of pairs.entries()) {
    checkLength(key, trackingLimits.keyCharacters, { of, member: 'key', index });
    checkLength(value, maxValueLength, { of, member: 'value', index });
  }
}

/**
 * Adds params, whose values never change.
 *
 * @throws INVALID_ARGUMENT for another value of a known param
 */
export function mergeParams(
  params: ReadonlyMap<string, string>,
  added: readonly Tag[],
): ReadonlyMap<string, string> {
  const result = new Map(params);
  for (const { key, value } of added) {
    const known = result.get(key);
    if (known !== undefined && known !== value)
      throw trackingErrors.loggedModelParamChanged({
        key,
        logged: known.slice(0, maxQuotedLength),
        value: value.slice(0, maxQuotedLength),
      });
    result.set(key, value);
  }
  return result;
}

/**
 * Adds points; the result depends neither on their order nor on repetition. Keeps the latest point of each metric by
 * run and dataset, and the newest 1,000 of all others.
 *
 * @returns the same list object when nothing is new
 * @throws INVALID_ARGUMENT when a model would have more than 2,000 metrics by run and dataset
 */
export function mergeMetrics(
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
  if (latest.size > maxModelMetrics) throw trackingErrors.tooManyModelMetrics({ limit: maxModelMetrics });
  const earlier = all.filter((metric) => !latest.has(metric));
  if (earlier.length <= maxEarlierPoints) return all;
  earlier.sort((a, b) => compareForModel(b, a) || (placeOf(a) < placeOf(b) ? -1 : 1));
  const dropped = new Set(earlier.slice(maxEarlierPoints));
  const kept = all.filter((metric) => !dropped.has(metric));
  // A repeated point may have been dropped before.
  const known = new Set(metrics);
  return kept.every((metric) => known.has(metric)) ? metrics : kept;
}

function placeOf(metric: ModelMetric): string {
  // -0 and 0 are the same value.
  return `${metric.timestamp} ${metric.step} ${String(metric.value)} ${seriesOf(metric)}`;
}
