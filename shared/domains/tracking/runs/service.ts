import type { Clock } from '../../../core/clock.ts';
import { isAppError } from '../../../core/errors.ts';
import type { Ids } from '../../../core/ids.ts';
import { mlflowTags } from '../../../core/names/mlflow-names.ts';
import { metadataContainers } from '../../../core/names/resources.ts';
import type { AuditedWriter } from '../../../platform/audit/audited-writer.ts';
import type { MetadataStore } from '../../../platform/storage/documents.ts';
import { type RunBody, runKey, toRun } from '../documents.ts';
import type { Experiment, MetricPoint, Run, Tag } from '../entities.ts';
import { trackingErrors } from '../errors.ts';
import { defaultExperimentId, type ExperimentService } from '../experiments/service.ts';
import { checkLength, trackingLimits } from '../limits.ts';
import type { Locator } from '../locator.ts';
import type { MeasuredMetric } from '../logged-models/entities.ts';
import type { LoggedModels } from '../logged-models/logged-models.ts';
import { type MetricHistoryPage, MetricHistory } from '../metrics/history.ts';
import { createRunId, experimentOfRunId } from '../run-id.ts';
import {
  checkLogBatch,
  checkMetric,
  checkParam,
  checkRunTag,
  type LogBatch,
  type LoggedMetric,
} from './batch.ts';
import * as changes from './changes.ts';
import { createRunBody, type RunDraft } from './draft.ts';
import { randomRunName } from './random-name.ts';
import type { RunWriter } from './writer.ts';

export interface RunServiceDeps {
  readonly store: MetadataStore;
  readonly audited: Pick<AuditedWriter, 'commit'>;
  readonly experiments: Pick<ExperimentService, 'get' | 'isActive' | 'readStages'>;
  readonly locator: Pick<Locator, 'findRun' | 'addRun'>;
  readonly writer: Pick<RunWriter, 'write'>;
  /** Metrics that name a logged model are recorded there as well. */
  readonly loggedModels: Pick<LoggedModels, 'record'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface NewRun {
  /**
   * 32 hex digits; default: a new id. Creating a run whose id exists returns that run, so that retries are safe. An id
   * that contains an experiment must contain the run's.
   */
  readonly runId?: string | undefined;
  /** Default: the experiment that always exists. */
  readonly experimentId?: string | undefined;
  readonly name?: string | undefined;
  readonly userId?: string | undefined;
  readonly startTime?: number | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

/** Creates, changes and reads runs. */
export class RunService {
  readonly #deps: RunServiceDeps;
  readonly #history: MetricHistory;

  constructor(deps: RunServiceDeps) {
    this.#deps = deps;
    this.#history = new MetricHistory(deps.store);
  }

  /** @throws NOT_FOUND for the experiment; INVALID_ARGUMENT */
  async create(wanted: NewRun, by: string): Promise<Run> {
    const { experiments, ids, clock } = this.#deps;
    const given = (wanted.tags ?? []).map((tag, index) => checkRunTag(tag, index));
    const tags = new Map(given.map(({ key, value }) => [key, value]));
    const name = chooseName(wanted.name, tags.get(mlflowTags.runName)) ?? randomRunName(ids);
    checkName(name);
    tags.set(mlflowTags.runName, name);
    const experiment = await experiments.get(wanted.experimentId || defaultExperimentId);
    const { experimentId, lifecycleStage } = experiment;
    if (lifecycleStage !== 'active') throw trackingErrors.experimentDeleted({ experimentId });
    const insert = (runId: string) => this.#insert(runId, { ...wanted, name }, tags, experiment, by);
    if (wanted.runId === undefined)
      return insertFresh(() => insert(createRunId(experimentId, { ids, clock })));
    const known = await this.#find(wanted.runId);
    if (known !== undefined) return this.#toRun(known);
    checkRunId(wanted.runId, experimentId);
    try {
      return await insert(wanted.runId);
    } catch (error) {
      const winner = isAppError(error, 'ALREADY_EXISTS') ? await this.#find(wanted.runId) : undefined;
      if (winner === undefined) throw error;
      return this.#toRun(winner);
    }
  }

  /** @throws ALREADY_EXISTS when the id is taken */
  async #insert(
    runId: string,
    { name, userId = '', startTime }: NewRun & { readonly name: string },
    tags: ReadonlyMap<string, string>,
    experiment: Experiment,
    by: string,
  ): Promise<Run> {
    const { locator, audited, clock } = this.#deps;
    const { experimentId, artifactLocation } = experiment;
    const now = clock.now();
    const { body, draft } = createRunBody(
      {
        runId,
        experimentId,
        name,
        userId,
        status: 'RUNNING',
        startTime: startTime ?? now,
        lifecycleStage: 'active',
        artifactUri: `${artifactLocation.replace(/\/+$/, '')}/${runId}/artifacts`,
        createdAt: now,
        lastWriteAt: now,
      },
      tags,
    );
    draft.record(by, 'run.created', null, { name, tags: Object.fromEntries(tags) });
    // The pointer, if any, comes first: a dangling pointer is harmless, a run without one cannot be found.
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

  /** Keeps the name and its tag equal. @throws NOT_FOUND; INVALID_ARGUMENT when the run is deleted */
  async update(runId: string, update: changes.RunUpdate, by: string): Promise<Run> {
    checkName(update.name ?? '');
    return toActiveRun(await this.#write(runId, (draft) => changes.updateInfo(draft, update, by)));
  }

  /** @throws NOT_FOUND */
  async delete(runId: string, by: string): Promise<void> {
    const now = this.#deps.clock.now();
    const change = (draft: RunDraft) => changes.deleteRun(draft, by, now);
    await this.#deps.writer.write(runId, change, { isSignOfLife: false });
  }

  /** @throws NOT_FOUND */
  async restore(runId: string, by: string): Promise<void> {
    const change = (draft: RunDraft) => changes.restoreRun(draft, by);
    await this.#deps.writer.write(runId, change, { isSignOfLife: false });
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async setTag(runId: string, tag: Tag, by: string): Promise<void> {
    const kept = checkRunTag(tag);
    await this.#write(runId, (draft) => changes.setTags(draft, [kept], by));
  }

  /** @throws NOT_FOUND for the run or the tag; INVALID_ARGUMENT when the run is deleted */
  async deleteTag(runId: string, key: string, by: string): Promise<void> {
    await this.#write(runId, (draft) => changes.deleteTag(draft, key, by));
  }

  /**
   * Logs params, metric points and tags atomically. Repeating a batch changes nothing; long values are truncated.
   *
   * @throws NOT_FOUND; INVALID_ARGUMENT, for one when a param has another value
   */
  async logBatch(runId: string, batch: LogBatch, by: string): Promise<void> {
    await this.#log(runId, checkLogBatch(batch), by);
  }

  /** @throws NOT_FOUND, INVALID_ARGUMENT */
  async logMetric(runId: string, metric: LoggedMetric, by: string): Promise<void> {
    checkMetric(metric);
    await this.#log(runId, { metrics: [metric], params: [], tags: [] }, by);
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT, for one when the param has another value */
  async logParam(runId: string, param: Tag, by: string): Promise<void> {
    await this.#log(runId, { metrics: [], params: [checkParam(param)], tags: [] }, by);
  }

  async #log(runId: string, { params, tags, metrics }: LogBatch, by: string): Promise<void> {
    const ofModels = metrics.filter((metric): metric is MeasuredMetric => metric.modelId !== undefined);
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
   * Applies the caller's change to an active run; see `RunDraft` for what a change may do.
   *
   * @throws NOT_FOUND; INVALID_ARGUMENT when the run is deleted; what the change throws
   */
  async change(runId: string, change: (draft: RunDraft) => void, by: string): Promise<Run> {
    const body = await this.#write(runId, (draft) => {
      change(draft);
      changes.revive(draft, by);
    });
    return toActiveRun(body);
  }

  /** Reads a page of a metric's points, sorted by timestamp, step and value. @throws NOT_FOUND, INVALID_ARGUMENT */
  async getHistory(
    runId: string,
    key: string,
    request: { readonly limit: number; readonly pageToken?: string | undefined },
  ): Promise<MetricHistoryPage> {
    const { points } = await this.#read(runId);
    return this.#history.readPage(runId, key, points.tail, request);
  }

  /** Streams all of a metric's points in that order, some thousand at a time. @throws NOT_FOUND */
  async *readMetricPoints(runId: string, key: string): AsyncGenerator<readonly MetricPoint[]> {
    const { points } = await this.#read(runId);
    yield* this.#history.readAll(runId, key, points.tail);
  }

  /** Records before the batch is written, once the run accepts it: an unknown model must refuse the whole batch. */
  async #recordModelMetrics(
    runId: string,
    metrics: readonly MeasuredMetric[],
    check: (draft: RunDraft) => void,
  ): Promise<void> {
    await this.#write(runId, check);
    await this.#deps.loggedModels.record(runId, metrics);
  }

  async #write(runId: string, change: (draft: RunDraft) => void): Promise<RunBody> {
    const { locator, experiments, writer } = this.#deps;
    const experimentId = await locator.findRun(runId);
    if (experimentId === undefined) throw trackingErrors.runMissing({ runId });
    if (!(await experiments.isActive(experimentId))) {
      // An id does not prove that the run exists: a missing run is not a deleted one.
      await this.#read(runId);
      throw trackingErrors.runDeleted({ runId });
    }
    const { body } = await writer.write(runId, (draft) => {
      changes.checkActive(draft);
      change(draft);
    });
    return body;
  }

  async #read(runId: string): Promise<RunBody> {
    const body = await this.#find(runId);
    if (body === undefined) throw trackingErrors.runMissing({ runId });
    return body;
  }

  async #find(runId: string): Promise<RunBody | undefined> {
    const { locator, store } = this.#deps;
    const experimentId = await locator.findRun(runId);
    return experimentId === undefined
      ? undefined
      : (await store.get<RunBody>(runKey(experimentId, runId)))?.body;
  }

  async #toRun(body: RunBody): Promise<Run> {
    const { experimentId } = body.run;
    const stages = await this.#deps.experiments.readStages([experimentId]);
    return toRun(body, { lifecycleStage: stages.get(experimentId) ?? 'active' });
  }
}

function toActiveRun(body: RunBody): Run {
  return toRun(body, { lifecycleStage: 'active' });
}

/** The 32 random bits of an id may be taken, hardly ever several times in a row. */
const maxIds = 4;

/** Inserts a run with a fresh id until one is free. @throws ALREADY_EXISTS when none is */
async function insertFresh(insert: () => Promise<Run>): Promise<Run> {
  for (let ids = 1; ; ids += 1) {
    try {
      return await insert();
    } catch (error) {
      if (ids === maxIds || !isAppError(error, 'ALREADY_EXISTS')) throw error;
    }
  }
}

/** @throws INVALID_ARGUMENT when the id contains another experiment */
function checkRunId(runId: string, experimentId: string): void {
  const contained = experimentOfRunId(runId);
  if (contained !== undefined && contained !== experimentId)
    throw trackingErrors.runIdOfOtherExperiment({ runId, experimentId });
}

/** @throws INVALID_ARGUMENT when both are given and differ */
function chooseName(name: string | undefined, tag: string | undefined): string | undefined {
  if (name && tag && name !== tag) throw trackingErrors.runNamesDiffer({ name, tag });
  return name || tag || undefined;
}

/** @throws INVALID_ARGUMENT */
function checkName(name: string): void {
  checkLength(name, trackingLimits.runNameCharacters, { of: 'run', member: 'name' });
}
