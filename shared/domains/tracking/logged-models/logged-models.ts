import type { AuditedWriter } from '../../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../../platform/audit/event.ts';
import { AppError } from '../../../core/errors.ts';
import { toBody } from '../../../platform/storage/page.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { type Pace, retryConflicts } from '../../../platform/storage/optimistic.ts';
import { loggedModelKey } from '../documents.ts';
import type { Experiment, Tag } from '../entities.ts';
import type { Locator } from '../locator.ts';
import { randomRunName } from '../runs/random-name.ts';
import { type LoggedModelBody, toLoggedModel, toLoggedModelBody } from './documents.ts';
import type { LoggedModel, LoggedModelStatus, MeasuredMetric, ModelMetric } from './entities.ts';
import { addMetrics, addParams, checkModelName, checkPairs } from './rules.ts';
import { type LoggedModelPage, type LoggedModelSearch, searchLoggedModels } from './search.ts';

export interface LoggedModelsOptions {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly locator: Locator;
  /** @throws NOT_FOUND */
  readonly getExperiment: (
    experimentId: string,
  ) => Promise<Pick<Experiment, 'artifactLocation' | 'lifecycleStage'>>;
  readonly pace: Pace;
}

export interface NewLoggedModel {
  readonly experimentId: string;
  /** Made up when left out. */
  readonly name?: string | undefined;
  readonly modelType?: string | undefined;
  readonly sourceRunId?: string | undefined;
  readonly params?: readonly Tag[];
  readonly tags?: readonly Tag[];
}

type AuditedChange = Pick<AuditEntry, 'action' | 'before' | 'after'>;

/** What an attempt at a change comes to; without `model`, it changes nothing. */
interface Change {
  readonly model?: LoggedModel;
  readonly told?: AuditedChange;
}

/** The models that runs log. Every change can be repeated with the same end. */
export class LoggedModels {
  readonly #options: LoggedModelsOptions;

  constructor(options: LoggedModelsOptions) {
    this.#options = options;
  }

  /** @throws NOT_FOUND when there is no such experiment; INVALID_ARGUMENT when it is deleted, or for a name, param or tag */
  async create(request: NewLoggedModel, by: string): Promise<LoggedModel> {
    const { locator, getExperiment, pace } = this.#options;
    const { experimentId, name, params = [], tags = [] } = request;
    if (name !== undefined) checkModelName(name);
    checkPairs('params', params);
    checkPairs('tags', tags);
    const experiment = await getExperiment(experimentId);
    if (experiment.lifecycleStage !== 'active')
      throw new AppError(
        'INVALID_ARGUMENT',
        `The experiment ${experimentId} must be in the 'active' state. Current state is ${experiment.lifecycleStage}.`,
      );
    const modelId = `m-${pace.ids.uuid().replaceAll('-', '')}`;
    const now = pace.clock.now();
    const model: LoggedModel = {
      modelId,
      experimentId,
      name: name ?? randomRunName(pace.ids),
      ...(request.modelType ? { modelType: request.modelType } : {}),
      status: 'PENDING',
      ...(request.sourceRunId ? { sourceRunId: request.sourceRunId } : {}),
      artifactLocation: `${experiment.artifactLocation.replace(/\/+$/, '')}/models/${modelId}/artifacts`,
      lifecycleStage: 'active',
      createdAt: now,
      updatedAt: now,
      params: addParams(new Map(), params),
      tags: new Map(tags.map(({ key, value }) => [key, value])),
      metrics: [],
    };
    const { id, container } = loggedModelKey(experimentId, modelId);
    // A pointer to a model that never came to be harms nobody; a model without one could not be found.
    await locator.addLoggedModel(modelId, experimentId);
    const { sourceRunId = null, modelType = null } = model;
    const after = { name: model.name, status: model.status, modelType, sourceRunId };
    await this.#options.audited.commit(
      container,
      experimentId,
      [{ kind: 'create', id, body: toBody(toLoggedModelBody(model)) }],
      [{ by, action: 'loggedModel.created', subject: subjectOf(model), before: null, after }],
    );
    return model;
  }

  /** @throws NOT_FOUND; a deleted one counts as missing unless it is asked for */
  async get(modelId: string, options: { readonly withDeleted?: boolean } = {}): Promise<LoggedModel> {
    const { model } = await this.#load(modelId);
    if (model.lifecycleStage === 'deleted' && options.withDeleted !== true) throw noSuchModel(modelId);
    return model;
  }

  /** Sets the status. @throws NOT_FOUND */
  async finalize(modelId: string, status: LoggedModelStatus, by: string): Promise<LoggedModel> {
    return this.#change(modelId, by, (model) =>
      model.status === status
        ? {}
        : {
            model: { ...model, status, updatedAt: this.#options.pace.clock.now() },
            told: {
              action: 'loggedModel.status.changed',
              before: { status: model.status },
              after: { status },
            },
          },
    );
  }

  /** Deletes softly: its artifacts stay until the retention removes both. @throws NOT_FOUND when it never was */
  async delete(modelId: string, by: string): Promise<void> {
    const { clock } = this.#options.pace;
    const told: AuditedChange = {
      action: 'loggedModel.deleted',
      before: { lifecycleStage: 'active' },
      after: { lifecycleStage: 'deleted' },
    };
    await this.#change(
      modelId,
      by,
      (model) => {
        if (model.lifecycleStage === 'deleted') return {};
        const deletedAt = clock.now();
        return { model: { ...model, lifecycleStage: 'deleted', updatedAt: deletedAt, deletedAt }, told };
      },
      { withDeleted: true },
    );
  }

  /** The last value of a key counts. @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTags(modelId: string, tags: readonly Tag[], by: string): Promise<LoggedModel> {
    checkPairs('tags', tags);
    return this.#change(modelId, by, (model) => {
      const changed = [...new Map(tags.map(({ key, value }) => [key, value]))].filter(
        ([key, value]) => model.tags.get(key) !== value,
      );
      if (changed.length === 0) return {};
      return {
        model: { ...model, tags: new Map([...model.tags, ...changed]) },
        told: {
          action: 'loggedModel.tags.set',
          before: Object.fromEntries(changed.map(([key]) => [key, model.tags.get(key) ?? null])),
          after: Object.fromEntries(changed),
        },
      };
    });
  }

  /** @throws NOT_FOUND for the model, or the tag */
  async deleteTag(modelId: string, key: string, by: string): Promise<void> {
    await this.#change(modelId, by, (model) => {
      const value = model.tags.get(key);
      if (value === undefined)
        throw new AppError('NOT_FOUND', `No tag with key '${key}' found for model with ID '${modelId}'.`, {
          key,
        });
      const tags = new Map(model.tags);
      tags.delete(key);
      const before = Object.fromEntries([[key, value]]);
      return { model: { ...model, tags }, told: { action: 'loggedModel.tags.deleted', before, after: null } };
    });
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT for a param that has another value already */
  async logParams(modelId: string, params: readonly Tag[]): Promise<void> {
    checkPairs('params', params);
    await this.#change(modelId, '', (model) => {
      const added = addParams(model.params, params);
      return added.size === model.params.size ? {} : { model: { ...model, params: added } };
    });
  }

  /**
   * What a run measured of models. The same again, in any order, comes to the same.
   *
   * @throws NOT_FOUND when one of the models is not there: nothing is written then
   */
  async record(runId: string, measured: readonly MeasuredMetric[]): Promise<void> {
    const byModel = [...Map.groupBy(measured, ({ modelId }) => modelId)];
    for (const [modelId] of byModel) await this.get(modelId);
    for (const [modelId, all] of byModel) {
      const metrics = all.map((metric) => toModelMetric(runId, metric));
      await this.#change(modelId, '', (model) => {
        const added = addMetrics(model.metrics, metrics);
        return added === model.metrics ? {} : { model: { ...model, metrics: added } };
      });
    }
  }

  /** @throws INVALID_ARGUMENT for a filter, an order or a token that is not right */
  async search(search: LoggedModelSearch): Promise<LoggedModelPage> {
    return searchLoggedModels(this.#options.store, search);
  }

  async #change(
    modelId: string,
    by: string,
    change: (model: LoggedModel) => Change,
    options: { readonly withDeleted?: boolean } = {},
  ): Promise<LoggedModel> {
    const { audited, pace } = this.#options;
    return retryConflicts(`the logged model ${modelId}`, pace, async () => {
      const { model: before, etag } = await this.#load(modelId);
      if (before.lifecycleStage === 'deleted' && options.withDeleted !== true) throw noSuchModel(modelId);
      const { model, told } = change(before);
      if (model === undefined) return before;
      const { id, container } = loggedModelKey(model.experimentId, modelId);
      await audited.commit(
        container,
        model.experimentId,
        [{ kind: 'replace', id, body: toBody(toLoggedModelBody(model)), etag }],
        told === undefined ? [] : [{ by, subject: subjectOf(model), ...told }],
      );
      return model;
    });
  }

  async #load(modelId: string): Promise<{ readonly model: LoggedModel; readonly etag: string }> {
    const experimentId = await this.#options.locator.findLoggedModel(modelId);
    if (experimentId === undefined) throw noSuchModel(modelId);
    const stored = await this.#options.store.get<LoggedModelBody>(loggedModelKey(experimentId, modelId));
    if (stored === undefined) throw noSuchModel(modelId);
    return { model: toLoggedModel(stored.body), etag: stored.etag };
  }
}

/** An empty name is none. */
function toModelMetric(runId: string, metric: MeasuredMetric): ModelMetric {
  const { key, timestamp, step, value, datasetName, datasetDigest } = metric;
  return {
    key,
    timestamp,
    step,
    value,
    runId,
    ...(datasetName ? { datasetName } : {}),
    ...(datasetDigest ? { datasetDigest } : {}),
  };
}

function subjectOf({ experimentId, modelId }: LoggedModel): AuditEntry['subject'] {
  return { kind: 'loggedModel', experimentId, modelId };
}

function noSuchModel(modelId: string): AppError {
  return new AppError('NOT_FOUND', `Logged model with ID '${modelId}' not found.`, { modelId });
}
