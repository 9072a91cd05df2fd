import { sha256 } from '../../core/ids.ts';
import type { JsonValue } from '../../core/json/json.ts';
import { mlflowTags } from '../../core/names/mlflow-names.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { BatchOperation, MetadataStore } from '../../platform/storage/documents.ts';
import { toBody, type Wrapped } from '../../platform/storage/page.ts';
import type { DatasetInput, DatasetRef, ModelInput, ModelOutput } from './entities.ts';
import { trackingErrors } from './errors.ts';
import { checkLength } from './limits.ts';
import type { RunDraft } from './runs/draft.ts';
import type { RunService } from './runs/service.ts';

/** A dataset that some run of an experiment used. */
export interface DatasetSummary {
  readonly experimentId: string;
  readonly name: string;
  readonly digest: string;
  /** What it was used for. */
  readonly context?: string;
}

/** In characters. They are MLflow's, so that what its servers accept is accepted here. */
const limits = {
  name: 500,
  digest: 36,
  source: 65_535,
  schema: 1_048_575,
  profile: 16_777_215,
  tagKey: 255,
  tagValue: 500,
} as const;
const maxDatasets = 1_000;
const maxSummaries = 1_000;
const operationsAtOnce = 100;

/** Links runs to the datasets and models that they read and made. All operations are idempotent. */
export class RunLinksService {
  readonly #store: MetadataStore;
  readonly #runs: Pick<RunService, 'change'>;

  constructor(store: MetadataStore, runs: Pick<RunService, 'change'>) {
    this.#store = store;
    this.#runs = runs;
  }

  /**
   * Adds inputs. A dataset that the run has already, by name and digest, is not changed.
   *
   * @throws NOT_FOUND; INVALID_ARGUMENT when the run is deleted, or its document would be too large
   */
  async addInputs(
    runId: string,
    inputs: { readonly datasets: readonly DatasetInput[]; readonly models: readonly ModelInput[] },
    by: string,
  ): Promise<void> {
    const { datasets, models } = inputs;
    if (datasets.length > maxDatasets) throw trackingErrors.tooManyDatasets({ limit: maxDatasets });
    datasets.forEach(checkDatasetInput);
    const run = await this.#runs.change(runId, (draft) => addInputs(draft, datasets, models, by), by);
    // After the run's write, and from its result: list only datasets, with only the tags, that the run has.
    const named = new Set(datasets.map(({ dataset }) => identityOf(dataset)));
    const kept = run.links.datasetInputs.filter(({ dataset }) => named.has(identityOf(dataset)));
    await this.#summarize(run.info.experimentId, kept);
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT when the run is deleted */
  async addOutputs(runId: string, models: readonly ModelOutput[], by: string): Promise<void> {
    await this.#runs.change(runId, (draft) => addOutputs(draft, models, by), by);
  }

  /**
   * Appends a model to the list in the run's history tag, where clients before MLflow 3 look for it.
   *
   * @param model not appended again if it is in the list
   * @throws NOT_FOUND; INVALID_ARGUMENT when the run is deleted, or its tag is not such a list
   */
  async addToModelHistory(runId: string, model: JsonValue, by: string): Promise<void> {
    await this.#runs.change(runId, (draft) => addToModelHistory(draft, model, by), by);
  }

  /** Lists the datasets that runs of the experiments used, up to 1,000. */
  async listDatasets(experimentIds: readonly string[]): Promise<readonly DatasetSummary[]> {
    const found: DatasetSummary[] = [];
    for (const experimentId of new Set(experimentIds)) {
      let cursor: string | undefined;
      do {
        const page = await this.#store.list<Wrapped<'datasetUse', DatasetSummary>>({
          container: metadataContainers.tracking,
          partition: experimentId,
          filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'datasetUse' },
          limit: maxSummaries - found.length,
          ...(cursor === undefined ? {} : { cursor }),
        });
        found.push(...page.documents.map(({ body }) => body.datasetUse));
        cursor = page.cursor;
      } while (cursor !== undefined && found.length < maxSummaries);
      if (found.length >= maxSummaries) break;
    }
    return found;
  }

  async #summarize(experimentId: string, datasets: readonly DatasetInput[]): Promise<void> {
    const operations = new Map<string, BatchOperation>();
    for (const { dataset, tags } of datasets) {
      const context = tags.find(({ key }) => key === mlflowTags.dataContext)?.value;
      const { name, digest } = dataset;
      const datasetUse: DatasetSummary = {
        experimentId,
        name,
        digest,
        ...(context === undefined ? {} : { context }),
      };
      const id = `dataset-use-${sha256(JSON.stringify([name, digest, context ?? null]))}`;
      operations.set(id, { kind: 'upsert', id, body: toBody({ kind: 'datasetUse', datasetUse }) });
    }
    const all = [...operations.values()];
    for (let start = 0; start < all.length; start += operationsAtOnce)
      await this.#store.batch(
        metadataContainers.tracking,
        experimentId,
        all.slice(start, start + operationsAtOnce),
      );
  }
}

function checkDatasetInput({ dataset, tags }: DatasetInput): void {
  for (const member of ['name', 'digest', 'source', 'schema', 'profile'] as const)
    checkLength(dataset[member] ?? '', limits[member], { of: 'dataset', member });
  for (const { key, value } of tags) {
    checkLength(key, limits.tagKey, { of: 'datasetTag', member: 'key' });
    checkLength(value, limits.tagValue, { of: 'datasetTag', member: 'value' });
  }
}

function addInputs(
  draft: RunDraft,
  datasets: readonly DatasetInput[],
  models: readonly ModelInput[],
  by: string,
): void {
  const { links } = draft;
  const newDatasets = addUnseen(links.datasetInputs, datasets, ({ dataset }) => identityOf(dataset));
  const newModels = addUnseen(links.modelInputs, models, ({ modelId }) => modelId);
  if (newDatasets.length + newModels.length === 0) return;
  draft.setLinks({
    ...links,
    datasetInputs: [...links.datasetInputs, ...newDatasets],
    modelInputs: [...links.modelInputs, ...newModels],
  });
  draft.record(by, 'run.inputs.added', null, {
    datasets: newDatasets.map(({ dataset: { name, digest } }) => ({ name, digest })),
    models: newModels.map(({ modelId }) => modelId),
  });
}

function addOutputs(draft: RunDraft, models: readonly ModelOutput[], by: string): void {
  const { links } = draft;
  const added = addUnseen(links.modelOutputs, models, ({ modelId, step }) => `${step} ${modelId}`);
  if (added.length === 0) return;
  draft.setLinks({ ...links, modelOutputs: [...links.modelOutputs, ...added] });
  draft.record(by, 'run.outputs.added', null, {
    models: added.map(({ modelId, step }) => ({ modelId, step })),
  });
}

function addToModelHistory(draft: RunDraft, model: JsonValue, by: string): void {
  const known = draft.tags.get(mlflowTags.modelHistory);
  const history = known === undefined ? [] : parseHistory(known);
  const text = JSON.stringify(model);
  if (history.some((entry) => JSON.stringify(entry) === text)) return;
  const value = JSON.stringify([...history, model]);
  draft.tags.set(mlflowTags.modelHistory, value);
  draft.isChanged = true;
  draft.record(
    by,
    'run.tags.set',
    { [mlflowTags.modelHistory]: known ?? null },
    { [mlflowTags.modelHistory]: value },
  );
}

function parseHistory(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed;
  } catch (cause) {
    throw trackingErrors.modelHistoryUnreadable({ tag: mlflowTags.modelHistory }, cause);
  }
  throw trackingErrors.modelHistoryUnreadable({ tag: mlflowTags.modelHistory });
}

/** @returns the added items that are not known, without duplicates */
function addUnseen<T>(known: readonly T[], added: readonly T[], identify: (item: T) => string): readonly T[] {
  const seen = new Set(known.map(identify));
  return added.filter((item) => seen.size !== seen.add(identify(item)).size);
}

function identityOf({ name, digest }: DatasetRef): string {
  return JSON.stringify([name, digest]);
}
