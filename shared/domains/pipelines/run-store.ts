import type { Clock } from '../../core/clock.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import { metadataContainers } from '../../core/names/resources.ts';
import type { Filter, MetadataStore, StoredDocument } from '../../platform/storage/documents.ts';
import { retryConflicts } from '../../platform/storage/optimistic.ts';
import {
  eachItem,
  type Page,
  type PageRequest,
  toBody,
  toPage,
  type Wrapped,
} from '../../platform/storage/page.ts';
import type { Pipeline, Run, RunStatus, StepRun } from './entities.ts';

const container = metadataContainers.pipelines;

export interface RunStoreDeps {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly ids: Ids;
}

/**
 * The documents of pipelines and runs. A run and its steps share a partition (the run id); pipelines have one of their
 * own. `kind` tells them apart in queries across partitions.
 */
export class RunStore {
  readonly #deps: RunStoreDeps;

  constructor(deps: RunStoreDeps) {
    this.#deps = deps;
  }

  async putPipeline(pipeline: Pipeline): Promise<void> {
    await this.#deps.store.upsert(pipelineKey(pipeline.name), toBody({ kind: 'pipeline', pipeline }));
  }

  async getPipeline(name: string): Promise<Pipeline | undefined> {
    return (await this.#deps.store.get<Wrapped<'pipeline', Pipeline>>(pipelineKey(name)))?.body.pipeline;
  }

  async listPipelines(page: PageRequest, dataset?: string): Promise<Page<Pipeline>> {
    const found = await this.#deps.store.list<Wrapped<'pipeline', Pipeline>>({
      container,
      partition: 'pipelines',
      ...(dataset === undefined
        ? {}
        : { filter: { op: 'compare', test: 'eq', path: ['pipeline', 'on', 'dataset'], value: dataset } }),
      sort: { path: ['pipeline', 'name'], direction: 'asc' },
      ...page,
    });
    return toPage(found, (body) => body.pipeline);
  }

  /** @returns the stored run: this one, or the one that was first */
  async createRun(run: Run): Promise<Run> {
    try {
      await this.#deps.store.create(runKey(run.runId), toBody({ kind: 'run', run }));
      return run;
    } catch (error) {
      if (!isAppError(error, 'ALREADY_EXISTS')) throw error;
      return this.getRun(run.runId);
    }
  }

  /** @throws NOT_FOUND */
  async getRun(runId: string): Promise<Run> {
    return (await this.#requireRun(runId)).body.run;
  }

  /** Reads, changes and writes under the ETag, again when another writer was faster: `change` may run more than once. */
  async updateRun(runId: string, change: (run: Run) => Run): Promise<Run> {
    return retryConflicts(`the run "${runId}"`, this.#deps, async () => {
      const stored = await this.#requireRun(runId);
      const run = change(stored.body.run);
      if (run !== stored.body.run) {
        await this.#deps.store.replace(runKey(runId), toBody({ kind: 'run', run }), stored.etag);
      }
      return run;
    });
  }

  async listRuns(page: PageRequest, only: RunFilter = {}): Promise<Page<Run>> {
    const found = await this.#deps.store.list<Wrapped<'run', Run>>({
      container,
      filter: {
        op: 'and',
        filters: [
          { op: 'compare', test: 'eq', path: ['kind'], value: 'run' },
          ...(only.pipeline === undefined ? [] : [isEqual('pipeline', only.pipeline)]),
          ...(only.status === undefined ? [] : [isEqual('status', only.status)]),
        ],
      },
      sort: { path: ['run', 'createdAt'], direction: 'desc' },
      ...page,
    });
    return toPage(found, (body) => body.run);
  }

  /**
   * Reads, changes and writes under the ETag, as `updateRun`: an activity is delivered at least once, so two may write
   * one step at once. A `change` that returns what it was given writes nothing.
   */
  async updateStep(
    runId: string,
    name: string,
    change: (step: StepRun | undefined) => StepRun,
  ): Promise<StepRun> {
    const key = stepKey(runId, name);
    return retryConflicts(`the step "${name}"`, this.#deps, async () => {
      const stored = await this.#deps.store.get<Wrapped<'step', StepRun>>(key);
      const step = change(stored?.body.step);
      if (step === stored?.body.step) return step;
      const body = toBody({ kind: 'step', step });
      await (stored ? this.#deps.store.replace(key, body, stored.etag) : this.#deps.store.create(key, body));
      return step;
    });
  }

  async getStep(runId: string, name: string): Promise<StepRun | undefined> {
    return (await this.#deps.store.get<Wrapped<'step', StepRun>>(stepKey(runId, name)))?.body.step;
  }

  /** All steps of a run: a plan has at most 100. */
  listSteps(runId: string): Promise<readonly StepRun[]> {
    return Array.fromAsync(
      eachItem(async (page) =>
        toPage(
          await this.#deps.store.list<Wrapped<'step', StepRun>>({
            container,
            partition: runId,
            filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'step' },
            ...page,
          }),
          (body) => body.step,
        ),
      ),
    );
  }

  async #requireRun(runId: string): Promise<StoredDocument<Wrapped<'run', Run>>> {
    const stored = await this.#deps.store.get<Wrapped<'run', Run>>(runKey(runId));
    if (stored) return stored;
    throw new AppError('NOT_FOUND', `There is no run ${JSON.stringify(runId)}.`, { runId });
  }
}

/** Left out: any. */
export interface RunFilter {
  readonly pipeline?: string | undefined;
  readonly status?: RunStatus | undefined;
}

function isEqual(field: keyof RunFilter, value: string): Filter {
  return { op: 'compare', test: 'eq', path: ['run', field], value };
}

const pipelineKey = (name: string) => ({ container, partition: 'pipelines', id: name });
const runKey = (runId: string) => ({ container, partition: runId, id: 'run' });
const stepKey = (runId: string, step: string) => ({ container, partition: runId, id: `step-${step}` });
