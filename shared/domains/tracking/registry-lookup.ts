import { isAppError } from '../../core/errors.ts';
import { mlflowTags } from '../../core/names/mlflow-names.ts';
import { latestOf } from './logged-models/documents.ts';
import type { LoggedModel } from './logged-models/entities.ts';
import type { Tracking } from './tracking.ts';

const maxAttempts = 5;

/** Implements the registry's port `TrackingLookup`. */
export function createRegistryLookup({ runs, loggedModels }: Pick<Tracking, 'runs' | 'loggedModels'>) {
  const findModel = (modelId: string) => orUndefined(loggedModels.get(modelId));
  return {
    findRun: async (runId: string) => {
      const run = await orUndefined(runs.get(runId));
      if (run === undefined) return undefined;
      const codeVersion = run.tags.get(mlflowTags.gitCommit);
      return {
        artifactUri: run.info.artifactUri,
        ...(codeVersion === undefined ? {} : { codeVersion }),
        inputs: run.links.datasetInputs.map(({ dataset: { name, digest } }) => ({ name, digest })),
      };
    },
    findLoggedModel: async (modelId: string) => {
      const model = await findModel(modelId);
      if (model === undefined) return undefined;
      const { artifactLocation, sourceRunId, params } = model;
      return {
        artifactLocation,
        ...(sourceRunId === undefined ? {} : { sourceRunId }),
        params: Object.fromEntries(params),
        metrics: Object.fromEntries(
          // JSON has no other numbers.
          [...latestOf(model.metrics, ({ key }) => key)].flatMap(([key, { value }]) =>
            Number.isFinite(value) ? [[key, value]] : [],
          ),
        ) as Record<string, number>,
      };
    },
    noteVersion: async (modelId: string, model: string, version: number, by: string) => {
      for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
        const found = await findModel(modelId);
        if (found === undefined) return;
        const value = addVersion(found, model, version);
        if (value === undefined) return;
        // A concurrent registration may overwrite the tag: check again.
        await loggedModels.setTags(modelId, [{ key: mlflowTags.modelVersions, value }], by);
      }
    },
  };
}

/** @returns undefined when the tag contains the version. The spaces are those that MLflow writes. */
function addVersion({ tags }: LoggedModel, name: string, version: number): string | undefined {
  const entry = `{"name": ${JSON.stringify(name)}, "version": ${version}}`;
  const known = tags.get(mlflowTags.modelVersions) ?? '[]';
  if (known.includes(entry)) return undefined;
  const inside = /^\[(.*)\]$/s.exec(known)?.[1] ?? '';
  return `[${inside === '' ? '' : `${inside}, `}${entry}]`;
}

async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isAppError(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}
