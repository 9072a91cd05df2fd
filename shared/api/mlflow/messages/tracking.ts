import { toJsonNumber } from '../../../core/json/json-number.ts';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../../core/json/json.ts';
import type { Experiment, MetricPoint, Run } from '../../../domains/tracking/entities.ts';
import type { TrackingSearch } from '../../../domains/tracking/search.ts';

/** Writes an experiment as MLflow's message. As in Protobuf's JSON, empty lists are left out. */
export function fromExperiment(experiment: Experiment): JsonObject {
  return {
    experiment_id: experiment.experimentId,
    name: experiment.name,
    artifact_location: experiment.artifactLocation,
    lifecycle_stage: experiment.lifecycleStage,
    last_update_time: experiment.updatedAt,
    creation_time: experiment.createdAt,
    ...list('tags', fromMap(experiment.tags)),
  };
}

export function fromRun(run: Run): JsonObject {
  const { datasetInputs, modelInputs, modelOutputs } = run.links;
  return {
    info: fromRunInfo(run),
    data: {
      ...list(
        'metrics',
        [...run.metrics].map(([key, point]) => fromMetric(key, point)),
      ),
      ...list('params', fromMap(run.params)),
      ...list('tags', fromMap(run.tags)),
    },
    inputs: {
      ...list(
        'dataset_inputs',
        datasetInputs.map(({ tags, dataset }) => ({
          ...list(
            'tags',
            tags.map(({ key, value }) => ({ key, value })),
          ),
          dataset: {
            name: dataset.name,
            digest: dataset.digest,
            source_type: dataset.sourceType,
            source: dataset.source,
            ...(dataset.schema === undefined ? {} : { schema: dataset.schema }),
            ...(dataset.profile === undefined ? {} : { profile: dataset.profile }),
          },
        })),
      ),
      ...list(
        'model_inputs',
        modelInputs.map(({ modelId }) => ({ model_id: modelId })),
      ),
    },
    outputs: list(
      'model_outputs',
      modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step })),
    ),
  };
}

export function fromRunInfo({ info }: Run): JsonObject {
  return {
    run_uuid: info.runId,
    experiment_id: info.experimentId,
    run_name: info.name,
    user_id: info.userId,
    status: info.status,
    start_time: info.startTime,
    ...(info.endTime === undefined ? {} : { end_time: info.endTime }),
    artifact_uri: info.artifactUri,
    lifecycle_stage: info.lifecycleStage,
    run_id: info.runId,
  };
}

export function fromMetric(key: string, { timestamp, step, value }: MetricPoint): JsonObject {
  return { key, value: toJsonNumber(value), timestamp, step };
}

function fromMap(map: ReadonlyMap<string, string>): JsonObject[] {
  return [...map].map(([key, value]) => ({ key, value }));
}

function list(name: string, items: readonly JsonValue[]): JsonObject {
  return items.length === 0 ? {} : { [name]: items };
}

/** Reads a value of a Protobuf enumeration, by its name or its number. */
export function enumeration<Name extends string>(names: Readonly<Record<string, Name>>) {
  return z.preprocess(
    (value) => (Object.hasOwn(names, String(value)) ? names[String(value)] : value),
    z.enum([...new Set(Object.values(names))] as [Name, ...Name[]], {
      error: 'Value must be one of the known names',
    }),
  );
}

export const view = () =>
  enumeration({
    1: 'ACTIVE_ONLY',
    2: 'DELETED_ONLY',
    3: 'ALL',
    ACTIVE_ONLY: 'ACTIVE_ONLY',
    DELETED_ONLY: 'DELETED_ONLY',
    ALL: 'ALL',
  })
    .default('ACTIVE_ONLY')
    .transform((name) => stages[name]);

const stages = {
  ACTIVE_ONLY: 'active',
  DELETED_ONLY: 'deleted',
  ALL: 'all',
} as const satisfies Record<string, TrackingSearch['stage']>;
