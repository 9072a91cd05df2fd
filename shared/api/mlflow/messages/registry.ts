import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../../core/json.ts';
import type { ModelVersionView, Tags } from '../../../domains/registry/entities.ts';
import type { SearchOrder } from '../../../domains/registry/models.ts';
import { int64, requiredText } from './message.ts';

/* What the registry's two families of endpoints read and write alike. */

/** A version's number; some send it as a number. */
export const versionText = () =>
  z.preprocess((value) => (typeof value === 'number' ? String(value) : value), requiredText());

export function fromKeyValues(
  tags: readonly { readonly key: string; readonly value: string }[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

/** How many a page may have. */
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
}): SearchOrder {
  const { filter, max_results: limit, order_by: orderBy, page_token: pageToken } = message;
  return {
    limit,
    orderBy,
    ...(filter.trim() === '' ? {} : { filter }),
    ...(pageToken === '' ? {} : { pageToken }),
  };
}

/** As the wire says it. Registering is done at once, so a version is always ready; whether it can serve is told apart. */
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

/** A list, or nothing: protobuf's JSON leaves empty ones out. */
export function listed(name: string, items: readonly JsonValue[]): JsonObject {
  return items.length === 0 ? {} : { [name]: items };
}
