import type { AuditedWriter } from '../../../platform/audit/audited-writer.ts';
import { AppError } from '../../../core/errors.ts';
import { metadataContainers } from '../../../core/names.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import type { Pace } from '../../../platform/storage/optimistic.ts';
import { type RunBody, runKey, toRun } from '../documents.ts';
import type { Metric, MetricPoint, Run, Tag } from '../entities.ts';
import { defaultExperimentId, type ExperimentService } from '../experiments/service.ts';
import { checkLength } from '../limits.ts';
import type { Locator } from '../locator.ts';
import { type HistoryPage, MetricHistory } from '../metrics/history.ts';
import { checkBatch, checkMetric, checkParam, checkTag, type LogBatch, type LoggedMetric } from './batch.ts';
import * as changes from './changes.ts';
import { createRunBody, type RunDraft } from './draft.ts';
import { randomRunName } from './random-name.ts';
import { noSuchRun, type RunWriter } from './writer.ts';

export interface RunServiceOptions {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly experiments: ExperimentService;
  readonly locator: Locator;
  readonly writer: RunWriter;
  readonly pace: Pace;
  /** Where metrics that name a logged model are kept as well. */
  readonly modelMetrics?: ModelMetrics;
}

/** A metric that tells of a logged model, perhaps on a dataset. */
export interface ModelMetric extends Metric {
  readonly modelId: string;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

export interface ModelMetrics {
  /** The same again changes nothing. @throws NOT_FOUND, before anything is written, when there is no such model */
  record(experimentId: string, runId: string, metrics: readonly ModelMetric[]): Promise<void>;
}

export interface NewRun {
  /** For callers that may come again: the run that has this id already is the one. 32 hex digits; random when left out. */
  readonly runId?: string | undefined;
  /** Left out: the experiment that is always there. */
  readonly experimentId?: string | undefined;
  readonly name?: string | undefined;
  readonly userId?: string | undefined;
  readonly startTime?: number | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

/** Runs: what they were given (params, tags, inputs), what they measured, and how they ended. */
export class RunService {
  readonly #options: RunServiceOptions;
  readonly #history: MetricHistory;

  constructor(options: RunServiceOptions) {
    this.#options = options;
    this.#history = new MetricHistory(options.store);
  }

  /** Each call makes a run, unless it says which. @throws NOT_FOUND (the experiment), INVALID_ARGUMENT */
  async create(wanted: NewRun, by: string): Promise<Run> {
    const { experiments, locator, audited, pace } = this.#options;
    const given = (wanted.tags ?? []).map((tag, index) => checkTag(tag, `tags[${index}].`));
    const tags = new Map(given.map(({ key, value }) => [key, value]));
    const name = chooseName(wanted.name, tags.get(changes.runNameTag)) ?? randomRunName(pace.ids);
    checkLength(name, 8_000, 'run_name');
    tags.set(changes.runNameTag, name);
    const experiment = await experiments.get(wanted.experimentId || defaultExperimentId);
    const { experimentId, lifecycleStage } = experiment;
    if (lifecycleStage !== 'active')
      throw new AppError(
        'INVALID_ARGUMENT',
        `The experiment ${experimentId} must be in the 'active' state. Current state is ${lifecycleStage}.`,
        { experimentId },
      );
    const runId = wanted.runId ?? pace.ids.uuid().replaceAll('-', '');
    const known = wanted.runId === undefined ? undefined : await this.#find(runId);
    if (known !== undefined) return this.#toRun(known);
    const now = pace.clock.now();
    const { body, draft } = createRunBody(
      {
        runId,
        experimentId,
        name,
        userId: wanted.userId ?? '',
        status: 'RUNNING',
        startTime: wanted.startTime ?? now,
        lifecycleStage: 'active',
        artifactUri: `${experiment.artifactLocation.replace(/\/+$/, '')}/${runId}/artifacts`,
        createdAt: now,
        lastWriteAt: now,
      },
      tags,
    );
    draft.record(by, 'run.created', null, { name, tags: Object.fromEntries(tags) });
    // First the pointer: a run that nobody can find would be worse than a pointer to none.
    await locator.addRun(runId, experimentId);
    await audited.commit(
      metadataContainers.tracking,
      experimentId,
      [{ kind: 'create', id: runKey(experimentId, runId).id, body }],
      draft.entries,
    );
    return toRun(body, experiment);
  }

  /** @throws NOT_FOUND */
  async get(runId: string): Promise<Run> {
    const body = await this.#read(runId);
    return this.#toRun(body);
  }

  /** Name and tag `mlflow.runName` stay the same. @throws NOT_FOUND, INVALID_ARGUMENT when it is deleted */
  async update(runId: string, update: changes.RunUpdate, by: string): Promise<Run> {
    checkLength(update.name ?? '', 8_000, 'run_name');
    return toActiveRun(await this.#write(runId, (draft) => changes.updateInfo(draft, update, by)));
  }

  /** @throws NOT_FOUND */
  async delete(runId: string, by: string): Promise<void> {
    const now = this.#options.pace.clock.now();
    const change = (draft: RunDraft) => changes.deleteRun(draft, by, now);
    await this.#options.writer.write(runId, change, { isSignOfLife: false });
  }

  /** @throws NOT_FOUND */
  async restore(runId: string, by: string): Promise<void> {
    const change = (draft: RunDraft) => changes.restoreRun(draft, by);
    await this.#options.writer.write(runId, change, { isSignOfLife: false });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTag(runId: string, tag: Tag, by: string): Promise<void> {
    const kept = checkTag(tag);
    await this.#write(runId, (draft) => changes.setTags(draft, [kept], by));
  }

  /** @throws NOT_FOUND, of the run or the tag; INVALID_ARGUMENT when the run is deleted */
  async deleteTag(runId: string, key: string, by: string): Promise<void> {
    await this.#write(runId, (draft) => changes.deleteTag(draft, key, by));
  }

  /**
   * All of it, or nothing: params (another value for one that is there is refused), metric points (one that is there is
   * the same one), tags. Long values are cut as MLflow cuts them.
   *
   * @throws NOT_FOUND, INVALID_ARGUMENT
   */
  async logBatch(runId: string, batch: LogBatch, by: string): Promise<void> {
    await this.#log(runId, checkBatch(batch), by);
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async logMetric(runId: string, metric: LoggedMetric, by: string): Promise<void> {
    checkMetric(metric);
    await this.#log(runId, { metrics: [metric], params: [], tags: [] }, by);
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT, above all when it is there with another value */
  async logParam(runId: string, param: Tag, by: string): Promise<void> {
    await this.#log(runId, { metrics: [], params: [checkParam(param)], tags: [] }, by);
  }

  async #log(runId: string, { params, tags, metrics }: LogBatch, by: string): Promise<void> {
    const ofModels = metrics.filter((metric): metric is ModelMetric => metric.modelId !== undefined);
    const check = (draft: RunDraft) => changes.checkParams(draft, params);
    if (ofModels.length > 0) await this.#recordModelMetrics(runId, ofModels, check);
    await this.#write(runId, (draft) => {
      check(draft);
      changes.addParams(draft, params);
      changes.addMetrics(draft, metrics);
      changes.setTags(draft, tags, by);
      if (params.length + metrics.length > 0) changes.revive(draft, by);
    });
  }

  /**
   * A change of the caller's own, made as all others are; see `RunDraft` for what it may do. It is made on active runs
   * only.
   *
   * @throws NOT_FOUND, INVALID_ARGUMENT when the run is deleted, and what the change throws
   */
  async change(runId: string, change: (draft: RunDraft) => void, by: string): Promise<Run> {
    const body = await this.#write(runId, (draft) => {
      change(draft);
      changes.revive(draft, by);
    });
    return toActiveRun(body);
  }

  /** A metric's points in the order timestamp, step, value. @throws NOT_FOUND, INVALID_ARGUMENT */
  async getHistory(
    runId: string,
    key: string,
    request: { readonly limit: number; readonly pageToken?: string | undefined },
  ): Promise<HistoryPage> {
    const { points } = await this.#read(runId);
    return this.#history.readPage(runId, key, points.tail, request);
  }

  /** All of a metric's points in that order, some thousand at a time. @throws NOT_FOUND */
  async *readMetricPoints(runId: string, key: string): AsyncGenerator<readonly MetricPoint[]> {
    const { points } = await this.#read(runId);
    yield* this.#history.readAll(runId, key, points.tail);
  }

  /** Before anything of the batch is written: whether the run would take it, and the models are there. */
  async #recordModelMetrics(
    runId: string,
    metrics: readonly ModelMetric[],
    check: (draft: RunDraft) => void,
  ): Promise<void> {
    const { modelMetrics } = this.#options;
    if (modelMetrics === undefined) return;
    const { run } = await this.#write(runId, check);
    await modelMetrics.record(run.experimentId, runId, metrics);
  }

  async #write(runId: string, change: (draft: RunDraft) => void): Promise<RunBody> {
    const { locator, experiments, writer } = this.#options;
    const experimentId = await locator.findRun(runId);
    if (experimentId === undefined) throw noSuchRun(runId);
    if (!(await experiments.isActive(experimentId))) {
      // A run that is not there is not deleted.
      await this.#read(runId);
      throw changes.notActive(runId);
    }
    const { body } = await writer.write(runId, (draft) => {
      changes.checkActive(draft);
      change(draft);
    });
    return body;
  }

  async #read(runId: string): Promise<RunBody> {
    const body = await this.#find(runId);
    if (body === undefined) throw noSuchRun(runId);
    return body;
  }

  async #find(runId: string): Promise<RunBody | undefined> {
    const { locator, store } = this.#options;
    const experimentId = await locator.findRun(runId);
    return experimentId === undefined
      ? undefined
      : (await store.get<RunBody>(runKey(experimentId, runId)))?.body;
  }

  async #toRun(body: RunBody): Promise<Run> {
    const { experimentId } = body.run;
    const stages = await this.#options.experiments.readStages([experimentId]);
    return toRun(body, { lifecycleStage: stages.get(experimentId) ?? 'active' });
  }
}

function toActiveRun(body: RunBody): Run {
  return toRun(body, { lifecycleStage: 'active' });
}

/** @throws INVALID_ARGUMENT when both are given and differ */
function chooseName(name: string | undefined, tag: string | undefined): string | undefined {
  if (name && tag && name !== tag)
    throw new AppError(
      'INVALID_ARGUMENT',
      `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${name}', mlflow.runName='${tag}').`,
    );
  return name || tag || undefined;
}
