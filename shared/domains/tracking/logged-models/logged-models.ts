import type { Clock } from '../../../core/clock.ts';
import type { Ids } from '../../../core/ids.ts';
import type { AuditedWriter } from '../../../platform/audit/audited-writer.ts';
import type { AuditEntry } from '../../../platform/audit/event.ts';
import type { Found } from '../../../platform/search/search.ts';
import { toBody } from '../../../platform/storage/page.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { retryConflicts } from '../../../platform/storage/optimistic.ts';
import { loggedModelKey } from '../documents.ts';
import type { Tag } from '../entities.ts';
import { trackingErrors } from '../errors.ts';
import type { ExperimentService } from '../experiments/service.ts';
import type { Locator } from '../locator.ts';
import { randomRunName } from '../runs/random-name.ts';
import { type LoggedModelBody, toLoggedModel, toLoggedModelBody } from './documents.ts';
import type { LoggedModel, LoggedModelStatus, MeasuredMetric, ModelMetric } from './entities.ts';
import { mergeMetrics, mergeParams, checkLoggedModelName, checkPairs } from './rules.ts';
import { type LoggedModelSearch, searchLoggedModels } from './search.ts';

export interface LoggedModelsDeps {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly locator: Pick<Locator, 'findLoggedModel' | 'addLoggedModel'>;
  readonly experiments: Pick<ExperimentService, 'get'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface NewLoggedModel {
  readonly experimentId: string;
  /** Default: a random one. */
  readonly name?: string | undefined;
  readonly modelType?: string | undefined;
  readonly sourceRunId?: string | undefined;
  readonly params?: readonly Tag[];
  readonly tags?: readonly Tag[];
}

type AuditedChange = Pick<AuditEntry, 'action' | 'before' | 'after'>;

/** The result of a change; without `model` there is nothing to write. */
interface Change {
  readonly model?: LoggedModel;
  readonly reported?: AuditedChange;
}

/** The models that runs log. All changes are idempotent. */
export class LoggedModels {
  readonly #deps: LoggedModelsDeps;

  constructor(deps: LoggedModelsDeps) {
    this.#deps = deps;
  }

  /** @throws NOT_FOUND for the experiment; INVALID_ARGUMENT when it is deleted, or for a name, param or tag */
  async create(request: NewLoggedModel, by: string): Promise<LoggedModel> {
    const { locator, experiments, clock, ids } = this.#deps;
    const { experimentId, name, params = [], tags = [] } = request;
    if (name !== undefined) checkLoggedModelName(name);
    checkPairs('loggedModelParam', params);
    checkPairs('loggedModelTag', tags);
    const experiment = await experiments.get(experimentId);
    if (experiment.lifecycleStage !== 'active') throw trackingErrors.experimentDeleted({ experimentId });
    const modelId = `m-${ids.uuid().replaceAll('-', '')}`;
    const now = clock.now();
    const model: LoggedModel = {
      modelId,
      experimentId,
      name: name ?? randomRunName(ids),
      ...(request.modelType ? { modelType: request.modelType } : {}),
      status: 'PENDING',
      ...(request.sourceRunId ? { sourceRunId: request.sourceRunId } : {}),
      artifactLocation: `${experiment.artifactLocation.replace(/\/+$/, '')}/models/${modelId}/artifacts`,
      lifecycleStage: 'active',
      createdAt: now,
      updatedAt: now,
      params: mergeParams(new Map(), params),
      tags: new Map(tags.map(({ key, value }) => [key, value])),
      metrics: [],
    };
    const { id, container } = loggedModelKey(experimentId, modelId);
    // The pointer comes first: a dangling pointer is harmless, a model without one cannot be found.
    await locator.addLoggedModel(modelId, experimentId);
    const { sourceRunId = null, modelType = null } = model;
    const after = { name: model.name, status: model.status, modelType, sourceRunId };
    await this.#deps.audited.commit(
      container,
      experimentId,
      [{ kind: 'create', id, body: toBody(toLoggedModelBody(model)) }],
      [{ by, action: 'loggedModel.created', subject: subjectOf(model), before: null, after }],
    );
    return model;
  }

  /** @throws NOT_FOUND, also for a deleted model unless `withDeleted` */
  async get(modelId: string, options: { readonly withDeleted?: boolean } = {}): Promise<LoggedModel> {
    const { model } = await this.#load(modelId);
    if (model.lifecycleStage === 'deleted' && options.withDeleted !== true)
      throw trackingErrors.loggedModelMissing({ modelId });
    return model;
  }

  /** Sets the status. @throws NOT_FOUND */
  async finalize(modelId: string, status: LoggedModelStatus, by: string): Promise<LoggedModel> {
    return this.#change(modelId, by, (model) =>
      model.status === status
        ? {}
        : {
            model: { ...model, status, updatedAt: this.#deps.clock.now() },
            reported: {
              action: 'loggedModel.status.changed',
              before: { status: model.status },
              after: { status },
            },
          },
    );
  }

  /** Deletes softly: its artifacts stay until the retention removes both. @throws NOT_FOUND when it never was */
  async delete(modelId: string, by: string): Promise<void> {
    const { clock } = this.#deps;
    const reported: AuditedChange = {
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
        return { model: { ...model, lifecycleStage: 'deleted', updatedAt: deletedAt, deletedAt }, reported };
      },
      { withDeleted: true },
    );
  }

  /** Sets tags; the last value of a key counts. @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTags(modelId: string, tags: readonly Tag[], by: string): Promise<LoggedModel> {
    checkPairs('loggedModelTag', tags);
    return this.#change(modelId, by, (model) => {
      const changed = [...new Map(tags.map(({ key, value }) => [key, value]))].filter(
        ([key, value]) => model.tags.get(key) !== value,
      );
      if (changed.length === 0) return {};
      return {
        model: { ...model, tags: new Map([...model.tags, ...changed]) },
        reported: {
          action: 'loggedModel.tags.set',
          before: Object.fromEntries(changed.map(([key]) => [key, model.tags.get(key) ?? null])),
          after: Object.fromEntries(changed),
        },
      };
    });
  }

  /** @throws NOT_FOUND for the model or the tag */
  async deleteTag(modelId: string, key: string, by: string): Promise<void> {
    await this.#change(modelId, by, (model) => {
      const value = model.tags.get(key);
      if (value === undefined) throw trackingErrors.loggedModelTagMissing({ modelId, key });
      const tags = new Map(model.tags);
      tags.delete(key);
      const before = Object.fromEntries([[key, value]]);
      return {
        model: { ...model, tags },
        reported: { action: 'loggedModel.tags.deleted', before, after: null },
      };
    });
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT for a param that has another value */
  async logParams(modelId: string, params: readonly Tag[]): Promise<void> {
    checkPairs('loggedModelParam', params);
    await this.#change(modelId, '', (model) => {
      const added = mergeParams(model.params, params);
      return added.size === model.params.size ? {} : { model: { ...model, params: added } };
    });
  }

  /**
   * Records metrics that a run measured of models. The result depends neither on order nor on repetition.
   *
   * @throws NOT_FOUND for an unknown model, before anything is written
   */
  async record(runId: string, measured: readonly MeasuredMetric[]): Promise<void> {
    const byModel = [...Map.groupBy(measured, ({ modelId }) => modelId)];
    for (const [modelId] of byModel) await this.get(modelId);
    for (const [modelId, all] of byModel) {
      const metrics = all.map((metric) => toModelMetric(runId, metric));
      await this.#change(modelId, '', (model) => {
        const added = mergeMetrics(model.metrics, metrics);
        return added === model.metrics ? {} : { model: { ...model, metrics: added } };
      });
    }
  }

  /** @throws INVALID_ARGUMENT for an invalid filter, order or token */
  async search(search: LoggedModelSearch): Promise<Found<LoggedModel>> {
    return searchLoggedModels(this.#deps.store, search);
  }

  async #change(
    modelId: string,
    by: string,
    change: (model: LoggedModel) => Change,
    options: { readonly withDeleted?: boolean } = {},
  ): Promise<LoggedModel> {
    const { audited } = this.#deps;
    return retryConflicts(`the logged model ${modelId}`, this.#deps, async () => {
      const { model: before, etag } = await this.#load(modelId);
      if (before.lifecycleStage === 'deleted' && options.withDeleted !== true)
        throw trackingErrors.loggedModelMissing({ modelId });
      const { model, reported } = change(before);
      if (model === undefined) return before;
      const { id, container } = loggedModelKey(model.experimentId, modelId);
      await audited.commit(
        container,
        model.experimentId,
        [{ kind: 'replace', id, body: toBody(toLoggedModelBody(model)), etag }],
        reported === undefined ? [] : [{ by, subject: subjectOf(model), ...reported }],
      );
      return model;
    });
  }

  async #load(modelId: string): Promise<{ readonly model: LoggedModel; readonly etag: string }> {
    const experimentId = await this.#deps.locator.findLoggedModel(modelId);
    if (experimentId === undefined) throw trackingErrors.loggedModelMissing({ modelId });
    const stored = await this.#deps.store.get<LoggedModelBody>(loggedModelKey(experimentId, modelId));
    if (stored === undefined) throw trackingErrors.loggedModelMissing({ modelId });
    return { model: toLoggedModel(stored.body), etag: stored.etag };
  }
}

/** An empty name means no dataset. */
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
