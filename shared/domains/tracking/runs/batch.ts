import type { Metric, Tag } from '../entities.ts';
import { trackingErrors } from '../errors.ts';
import { checkKey, trackingLimits, truncate } from '../limits.ts';

export interface LoggedMetric extends Metric {
  readonly modelId?: string | undefined;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

export interface LogBatch {
  readonly metrics: readonly LoggedMetric[];
  readonly params: readonly Tag[];
  readonly tags: readonly Tag[];
}

/**
 * Checks a whole batch before any of it is written.
 *
 * @returns the batch to store, with long values truncated
 * @throws INVALID_ARGUMENT with the place of the faulty item
 */
export function checkLogBatch({ metrics, params, tags }: LogBatch): LogBatch {
  const limits = trackingLimits;
  checkCount(metrics.length, limits.batchMetrics, 'metrics');
  checkCount(params.length, limits.batchParams, 'params');
  checkCount(tags.length, limits.batchTags, 'tags');
  checkCount(metrics.length + params.length + tags.length, limits.batchItems, 'items');
  metrics.forEach(checkMetric);
  checkUnique(params);
  return { metrics, params: params.map(checkParam), tags: tags.map(checkRunTag) };
}

/** @returns the param to store. @throws INVALID_ARGUMENT */
export function checkParam({ key, value }: Tag, index?: number): Tag {
  checkKey(key, { of: 'param', member: 'key', index });
  return { key, value: truncate(value, trackingLimits.paramCharacters) };
}

/** @returns the tag to store. @throws INVALID_ARGUMENT */
export function checkRunTag({ key, value }: Tag, index?: number): Tag {
  checkKey(key, { of: 'tag', member: 'key', index });
  return { key, value: truncate(value, trackingLimits.tagCharacters) };
}

/** @throws INVALID_ARGUMENT */
export function checkMetric({ key, timestamp, value }: LoggedMetric, index?: number): void {
  checkKey(key, { of: 'metric', member: 'key', index });
  if (timestamp >= 0) return;
  const place = { of: 'metric', member: 'timestamp', index } as const;
  throw trackingErrors.timestampNegative({ place, timestamp, key, value });
}

function checkUnique(params: readonly Tag[]): void {
  const seen = new Set<string>();
  const repeated = params.filter(({ key }) => seen.size === seen.add(key).size).map(({ key }) => key);
  if (repeated.length > 0) throw trackingErrors.paramsRepeated({ keys: repeated });
}

function checkCount(count: number, limit: number, what: 'metrics' | 'params' | 'tags' | 'items'): void {
  if (count > limit) throw trackingErrors.batchTooLarge({ what, count, limit });
}
