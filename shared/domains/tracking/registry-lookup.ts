import { isAppError } from '../../core/errors.ts';
import { latestOf } from './logged-models/documents.ts';
import type { LoggedModel } from './logged-models/entities.ts';
import type { Tracking } from './tracking.ts';

/** Set by MLflow's clients on runs of code under git. */
const commitTag = 'mlflow.source.git.commit';
const versionsTag = 'mlflow.modelVersions';
const maxAttempts = 5;

/** What the registry asks of tracking when a version is registered: the shape of its port `TrackingLookup`. */
export function createRegistryLookup({ runs, loggedModels }: Pick<Tracking, 'runs' | 'loggedModels'>) {
  const findModel = (modelId: string) => orUndefined(loggedModels.get(modelId));
  return {
    findRun: async (runId: string) => {
      const run = await orUndefined(runs.get(runId));
      if (run === undefined) return undefined;
      const codeVersion = run.tags.get(commitTag);
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
          // What JSON cannot say is left out.
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
        // Two at once could each miss the other: so it is looked at again.
        await loggedModels.setTags(modelId, [{ key: versionsTag, value }], by);
      }
    },
  };
}

/** @returns undefined when it is noted already. The spaces are those of MLflow's own tag. */
function addVersion({ tags }: LoggedModel, name: string, version: number): string | undefined {
  const entry = `{"name": ${JSON.stringify(name)}, "version": ${version}}`;
  const known = tags.get(versionsTag) ?? '[]';
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
