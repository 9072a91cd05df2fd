import { toJsonNumber } from '../../../core/json/json-number.ts';
import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json/json.ts';
import type { Route } from '../../http/route.ts';
import type {
  DatasetFilter,
  LoggedModel,
  LoggedModelStatus,
  ModelMetric,
} from '../../../domains/tracking/logged-models/entities.ts';
import type { LoggedModels } from '../../../domains/tracking/logged-models/logged-models.ts';
import { defineEndpoint } from '../endpoint.ts';
import { flag, int64, keyValues, repeated, requiredText, text } from '../messages/message.ts';
import { loggedModelNames } from '../search-names.ts';

const statuses = {
  LOGGED_MODEL_PENDING: 'PENDING',
  LOGGED_MODEL_READY: 'READY',
  LOGGED_MODEL_UPLOAD_FAILED: 'UPLOAD_FAILED',
} as const satisfies Record<string, LoggedModelStatus>;
type WireStatus = keyof typeof statuses;
const statusNames = Object.keys(statuses) as [WireStatus, ...WireStatus[]];

/** Protobuf's JSON writes a value of an enumeration by name or number; 0 is "unspecified". */
const status = z.preprocess(
  (value) => (/^[1-3]$/.test(String(value)) ? statusNames[Number(value) - 1] : value),
  z.enum(statusNames, 'Value must be the status of a model'),
);

/** Upper bound of a page. */
const maxResults = 1_000;
const defaultResults = 100;

const byId = { model_id: requiredText() };
const dataset = { dataset_name: text().optional(), dataset_digest: text().optional() };

/** The logged models of MLflow 3, except for their artifacts. */
export function loggedModelEndpoints(models: LoggedModels): readonly Route[] {
  return [
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/logged-models',
      summary: 'Creates a logged model, which is pending until it is finalized.',
      role: 'contributor',
      message: z.object({
        experiment_id: requiredText(),
        name: text().optional(),
        model_type: text().optional(),
        source_run_id: text().optional(),
        params: keyValues().optional(),
        tags: keyValues().optional(),
      }),
      handle: async (message, { principal }) => ({
        model: toWire(
          await models.create(
            {
              experimentId: message.experiment_id,
              // Protobuf does not distinguish an empty text from a missing one.
              name: message.name || undefined,
              modelType: message.model_type,
              sourceRunId: message.source_run_id,
              params: message.params ?? [],
              tags: message.tags ?? [],
            },
            principal.name,
          ),
        ),
      }),
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/logged-models/search',
      summary: 'Searches the logged models of experiments; by default newest first.',
      role: 'reader',
      message: z.object({
        experiment_ids: repeated(text()),
        filter: text().optional(),
        datasets: repeated(z.object(dataset)).optional(),
        max_results: int64().optional(),
        order_by: repeated(
          z.object({ field_name: requiredText(), ascending: flag().default(true), ...dataset }),
        ).optional(),
        page_token: text().optional(),
      }),
      handle: async (message) => {
        const found = await models.search({
          experimentIds: message.experiment_ids,
          filter: message.filter || undefined,
          datasets: (message.datasets ?? []).map((given) => toDatasetFilter(given)),
          orderBy: (message.order_by ?? []).map((term) => ({
            field: term.field_name,
            direction: term.ascending ? 'asc' : 'desc',
            ...(term.dataset_name ? { dataset: toDatasetFilter(term) } : {}),
          })),
          limit: toLimit(message.max_results),
          pageToken: message.page_token || undefined,
          names: loggedModelNames,
        });
        return {
          ...unlessEmpty('models', found.items.map(toWire)),
          ...(found.pageToken === undefined ? {} : { next_page_token: found.pageToken }),
        };
      },
    }),
    defineEndpoint({
      methods: ['GET'],
      path: 'mlflow/logged-models/{model_id}',
      summary: 'Gets a logged model.',
      role: 'reader',
      message: z.object({ ...byId, allow_deleted: flag().default(false) }),
      handle: async ({ model_id, allow_deleted }) => ({
        model: toWire(await models.get(model_id, { withDeleted: allow_deleted })),
      }),
    }),
    defineEndpoint({
      methods: ['PATCH'],
      path: 'mlflow/logged-models/{model_id}',
      summary: 'Finalizes a logged model: its files are uploaded, or failed to.',
      role: 'contributor',
      message: z.object({ ...byId, status }),
      handle: async (message, { principal }) => ({
        model: toWire(await models.finalize(message.model_id, statuses[message.status], principal.name)),
      }),
    }),
    defineEndpoint({
      methods: ['DELETE'],
      path: 'mlflow/logged-models/{model_id}',
      summary: 'Deletes a logged model.',
      role: 'contributor',
      message: z.object(byId),
      handle: async ({ model_id }, { principal }) => {
        await models.delete(model_id, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['PATCH'],
      path: 'mlflow/logged-models/{model_id}/tags',
      summary: 'Sets tags of a logged model.',
      role: 'contributor',
      message: z.object({ ...byId, tags: keyValues().optional() }),
      handle: async ({ model_id, tags }, { principal }) => {
        await models.setTags(model_id, tags ?? [], principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['DELETE'],
      // Clients do not encode the slashes of a key.
      path: 'mlflow/logged-models/{model_id}/tags/{*tag_key}',
      summary: 'Deletes a tag of a logged model.',
      role: 'contributor',
      message: z.object({ ...byId, tag_key: requiredText() }),
      handle: async ({ model_id, tag_key }, { principal }) => {
        await models.deleteTag(model_id, tag_key, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/logged-models/{model_id}/params',
      summary: 'Adds params to a logged model.',
      role: 'contributor',
      message: z.object({ ...byId, params: keyValues().optional() }),
      handle: async ({ model_id, params }) => {
        await models.logParams(model_id, params ?? []);
        return {};
      },
    }),
  ].flat();
}

/** @throws INVALID_ARGUMENT */
function toDatasetFilter(given: {
  readonly dataset_name?: string | undefined;
  readonly dataset_digest?: string | undefined;
}): DatasetFilter {
  const { dataset_name: name, dataset_digest: digest } = given;
  if (!name)
    throw new AppError('INVALID_ARGUMENT', '`dataset_name` in the `datasets` clause must be specified.');
  return digest ? { name, digest } : { name };
}

function toLimit(given: number | undefined): number {
  if (given !== undefined && given < 0)
    throw new AppError(
      'INVALID_ARGUMENT',
      `Invalid value ${given} for parameter 'max_results' supplied: Value must not be negative`,
    );
  return Math.min(given || defaultResults, maxResults);
}

function toWire(model: LoggedModel): JsonObject {
  return {
    info: {
      model_id: model.modelId,
      experiment_id: model.experimentId,
      name: model.name,
      creation_timestamp_ms: model.createdAt,
      last_updated_timestamp_ms: model.updatedAt,
      artifact_uri: model.artifactLocation,
      status: `LOGGED_MODEL_${model.status}`,
      model_type: model.modelType ?? '',
      source_run_id: model.sourceRunId ?? '',
      ...unlessEmpty('tags', toPairs(model.tags)),
    },
    data: {
      ...unlessEmpty('params', toPairs(model.params)),
      ...unlessEmpty(
        'metrics',
        model.metrics.map((metric) => toWireMetric(model.modelId, metric)),
      ),
    },
  };
}

function toWireMetric(modelId: string, metric: ModelMetric): JsonObject {
  return {
    key: metric.key,
    value: toJsonNumber(metric.value),
    timestamp: metric.timestamp,
    step: metric.step,
    ...(metric.datasetName === undefined ? {} : { dataset_name: metric.datasetName }),
    ...(metric.datasetDigest === undefined ? {} : { dataset_digest: metric.datasetDigest }),
    model_id: modelId,
    run_id: metric.runId,
  };
}

/** Protobuf's JSON leaves out empty lists. */
function unlessEmpty(name: string, items: readonly JsonObject[]): JsonObject {
  return items.length === 0 ? {} : { [name]: items };
}

function toPairs(map: ReadonlyMap<string, string>): JsonObject[] {
  return [...map].map(([key, value]) => ({ key, value }));
}
