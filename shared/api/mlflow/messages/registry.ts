import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../../core/json/json.ts';
import type { ModelVersionView, Tags } from '../../../domains/registry/entities.ts';
import { AppError } from '../../../core/errors.ts';
import type { Search } from '../../../platform/search/search.ts';
import { int64, requiredText } from './message.ts';

/* Parts of messages that registered models and model versions share. */

/** A version number, which MLflow writes as text; some clients send a number. */
export const versionText = () =>
  z.preprocess((value) => (typeof value === 'number' ? String(value) : value), requiredText());

export function fromKeyValues(
  tags: readonly { readonly key: string; readonly value: string }[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

/** The page size. */
export function maxResults(usual: number, most: number) {
  return int64()
    .refine((value) => value >= 1, 'Invalid value for max_results. It must be a positive integer')
    .refine((value) => value <= most, `It must be at most ${most}`)
    .default(usual);
}

export function toSearch(message: {
  readonly filter: string;
  readonly max_results: number;
  readonly order_by: readonly string[];
  readonly page_token: string;
}): Search {
  const { filter, max_results: limit, order_by: orderBy, page_token: pageToken } = message;
  return {
    limit,
    orderBy,
    filter: filter.trim() === '' ? undefined : filter,
    pageToken: pageToken || undefined,
  };
}

/** @throws INVALID_ARGUMENT */
export function toVersionNumber(text: string): number {
  if (/^\s*[+-]?\d+\s*$/.test(text)) return Number(text);
  throw new AppError('INVALID_ARGUMENT', `Parameter 'version' must be an integer, got '${text}'.`);
}

/** Writes a version as MLflow's message. Registering is synchronous, so the status is always READY. */
export function toModelVersion(version: ModelVersionView): JsonObject {
  const { serving, modelId } = version;
  return {
    name: version.model,
    version: String(version.version),
    creation_timestamp: version.createdAt,
    last_updated_timestamp: version.updatedAt,
    user_id: version.createdBy,
    current_stage: version.stage,
    description: version.description,
    source: version.source,
    run_id: version.runId ?? '',
    run_link: version.runLink ?? '',
    status: 'READY',
    ...(serving.status === 'unservable'
      ? { status_message: `Cannot be served: ${serving.reason}`.slice(0, 500) }
      : {}),
    ...listed('tags', toTags(version.tags)),
    ...listed('aliases', version.aliases),
    ...(modelId === undefined ? {} : { model_id: modelId }),
  };
}

export function toTags(tags: Tags): { readonly key: string; readonly value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** Protobuf's JSON leaves out empty lists. */
export function listed(name: string, items: readonly JsonValue[]): JsonObject {
  return items.length === 0 ? {} : { [name]: items };
}
