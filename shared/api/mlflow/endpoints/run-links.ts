import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import type { JsonObject, JsonValue } from '../../../core/json/json.ts';
import type { Route } from '../../http/route.ts';
import type { DatasetSummary, RunLinksService } from '../../../domains/tracking/run-links.ts';
import { defineEndpoint } from '../endpoint.ts';
import { int64, keyValues, repeated, requiredText, text } from '../messages/message.ts';

const maxExperiments = 20;
/** A dataset's schema and profile can have a megabyte each. */
const maxInputBytes = 32 * 2 ** 20;

const datasetInput = z.object({
  dataset: z.object({
    name: requiredText(),
    digest: requiredText(),
    source_type: text().default(''),
    source: text().default(''),
    schema: text().optional(),
    profile: text().optional(),
  }),
  tags: keyValues().optional(),
});

/** The inputs and outputs of runs. */
export function runLinkEndpoints(links: RunLinksService): readonly Route[] {
  return [
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/log-inputs',
      summary: 'Logs the datasets and models that a run reads.',
      role: 'contributor',
      maxBodyBytes: maxInputBytes,
      message: z.object({
        run_id: requiredText(),
        datasets: repeated(datasetInput).optional(),
        models: repeated(z.object({ model_id: requiredText() })).optional(),
      }),
      handle: async ({ run_id, datasets = [], models = [] }, { principal }) => {
        await links.addInputs(
          run_id,
          {
            datasets: datasets.map(({ dataset, tags = [] }) => ({ dataset: toDataset(dataset), tags })),
            models: models.map(({ model_id }) => ({ modelId: model_id })),
          },
          principal.name,
        );
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/outputs',
      summary: 'Logs the models that a run makes.',
      role: 'contributor',
      message: z.object({
        run_id: requiredText(),
        models: repeated(z.object({ model_id: requiredText(), step: int64().default(0) })),
      }),
      handle: async ({ run_id, models }, { principal }) => {
        const outputs = models.map(({ model_id, step }) => ({ modelId: model_id, step }));
        await links.addOutputs(run_id, outputs, principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/runs/log-model',
      summary: 'Logs a model, for clients before MLflow 3.',
      role: 'contributor',
      message: z.object({ run_id: requiredText(), model_json: requiredText() }),
      handle: async ({ run_id, model_json }, { principal }) => {
        await links.addToModelHistory(run_id, readModelJson(model_json), principal.name);
        return {};
      },
    }),
    defineEndpoint({
      methods: ['POST'],
      path: 'mlflow/experiments/search-datasets',
      summary: 'Lists the datasets that the runs of experiments used.',
      role: 'reader',
      message: z.object({ experiment_ids: repeated(text()).optional() }),
      handle: async ({ experiment_ids = [] }) => {
        checkExperimentCount(experiment_ids.length);
        return { dataset_summaries: (await links.listDatasets(experiment_ids)).map(toSummary) };
      },
    }),
  ].flat();
}

function checkExperimentCount(count: number): void {
  if (count === 0)
    throw new AppError('INVALID_ARGUMENT', 'SearchDatasets request must specify at least one experiment_id.');
  if (count > maxExperiments)
    throw new AppError(
      'INVALID_ARGUMENT',
      `SearchDatasets request cannot specify more than ${maxExperiments} experiment_ids. Received ${count} experiment_ids.`,
    );
}

function toDataset({
  name,
  digest,
  source_type,
  source,
  schema,
  profile,
}: z.infer<typeof datasetInput>['dataset']) {
  return {
    name,
    digest,
    sourceType: source_type,
    source,
    ...(schema === undefined ? {} : { schema }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function toSummary({ experimentId, name, digest, context }: DatasetSummary): JsonObject {
  return { experiment_id: experimentId, name, digest, ...(context === undefined ? {} : { context }) };
}

const mandatory = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'] as const;
const kept = ['run_id', 'artifact_path', 'utc_time_created', 'model_uuid'] as const;

/**
 * Picks what the history keeps of a model's description: its path, and its flavors without their settings.
 *
 * @throws INVALID_ARGUMENT
 */
function readModelJson(json: string): JsonValue {
  const model = parseObject(json);
  const missing = mandatory.filter((name) => !Object.hasOwn(model, name));
  if (missing.length > 0)
    throw new AppError(
      'INVALID_ARGUMENT',
      `Model json is missing mandatory fields: {${missing.map((name) => `'${name}'`).join(', ')}}`,
    );
  const { flavors } = model;
  if (!isObject(flavors)) throw malformed(json);
  return Object.fromEntries([
    ...kept.filter((name) => Object.hasOwn(model, name)).map((name) => [name, model[name]!] as const),
    [
      'flavors',
      Object.fromEntries(Object.entries(flavors).map(([name, flavor]) => [name, withoutConfig(flavor)])),
    ],
  ]);
}

function withoutConfig(flavor: JsonValue): JsonValue {
  if (!isObject(flavor)) return flavor;
  return Object.fromEntries(Object.entries(flavor).filter(([name]) => name !== 'config'));
}

function parseObject(json: string): JsonObject {
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(json) as JsonValue;
  } catch (cause) {
    throw malformed(json, cause);
  }
  if (isObject(parsed)) return parsed;
  throw malformed(json);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(json: string, cause?: unknown): AppError {
  const shown = json.length > 500 ? `${json.slice(0, 500)}...` : json;
  return new AppError(
    'INVALID_ARGUMENT',
    `Malformed model info. \n ${shown} \n is not a valid JSON.`,
    {},
    cause,
  );
}
