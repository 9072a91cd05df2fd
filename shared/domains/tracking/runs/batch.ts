import { AppError } from '../../../core/errors.ts';
import type { Metric, Tag } from '../entities.ts';
import { checkKey, invalidValue, trackingLimits, truncate } from '../limits.ts';

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
 * @returns the batch as it is kept: long values cut
 * @throws INVALID_ARGUMENT, naming the item by its place
 */
export function checkBatch({ metrics, params, tags }: LogBatch): LogBatch {
  const limits = trackingLimits;
  checkCount(metrics.length, limits.batchMetrics, 'metrics');
  checkCount(params.length, limits.batchParams, 'params');
  checkCount(tags.length, limits.batchTags, 'tags');
  const items = metrics.length + params.length + tags.length;
  checkCount(items, limits.batchItems, 'metrics, params, and tags');
  metrics.forEach((metric, index) => checkMetric(metric, `metrics[${index}].`));
  checkUnique(params);
  return {
    metrics,
    params: params.map((param, index) => checkParam(param, `params[${index}].`)),
    tags: tags.map((tag, index) => checkTag(tag, `tags[${index}].`)),
  };
}

/** @returns the param as it is kept. @throws INVALID_ARGUMENT */
export function checkParam({ key, value }: Tag, place = ''): Tag {
  checkKey(key, `${place}key`, 'Param key');
  return { key, value: truncate(value, trackingLimits.paramCharacters) };
}

/** @returns the tag as it is kept. @throws INVALID_ARGUMENT */
export function checkTag({ key, value }: Tag, place = ''): Tag {
  checkKey(key, `${place}key`, `${place}key`);
  return { key, value: truncate(value, trackingLimits.tagCharacters) };
}

/** @throws INVALID_ARGUMENT */
export function checkMetric({ key, timestamp, value }: LoggedMetric, place = ''): void {
  checkKey(key, `${place}name`, 'Metric name');
  if (timestamp < 0)
    throw invalidValue(
      `${place}timestamp`,
      timestamp,
      `metric '${key}' (value=${value}). Timestamp must be a nonnegative long (64-bit integer) `,
    );
}

function checkUnique(params: readonly Tag[]): void {
  const seen = new Set<string>();
  const twice = params.filter(({ key }) => seen.size === seen.add(key).size).map(({ key }) => `'${key}'`);
  if (twice.length === 0) return;
  throw new AppError(
    'INVALID_ARGUMENT',
    `Duplicate parameter keys have been submitted: [${twice.join(', ')}]. Please ensure the request contains only one param value per param key.`,
  );
}

function checkCount(count: number, limit: number, what: string): void {
  if (count <= limit) return;
  throw new AppError(
    'INVALID_ARGUMENT',
    `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. Please split up ${what} across multiple requests and try again.`,
  );
}
