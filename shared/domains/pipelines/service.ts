import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { forEachSettled } from '../../core/async/for-each-settled.ts';
import { toFault } from '../../core/faults.ts';
import { sha256 } from '../../core/ids.ts';
import { canonicalJson, type JsonObject } from '../../core/json.ts';
import { type Logger, silentLogger } from '../../core/logger.ts';
import { refuse } from '../../core/validate.ts';
import { eachItem, type Page, type PageRequest } from '../../platform/storage/page.ts';
import type { PipelineEngine } from './engine.ts';
import type { Pipeline, PipelineView, Run, RunStatus, RunView, StepRun } from './entities.ts';
import type { RunResult } from './orchestrate.ts';
import type { Plan } from './plan.ts';
import { type Catalog, planPipeline, type PlanRequest } from './planning/plan-pipeline.ts';
import { readDeclaration } from './planning/read-declaration.ts';
import type { RunFilter, RunStore } from './run-store.ts';

export interface PipelineServiceOptions {
  readonly store: RunStore;
  readonly catalog: Catalog;
  readonly codeVersion: string;
  readonly clock: Clock;
}

/** A run that has been recorded this long and does not run has missed its start. */
const pendingPatienceMs = 60_000;

/** Something that happened and that pipelines may wait for. */
export interface DatasetVersionCreated {
  readonly type: 'dataset.version.created';
  readonly dataset: string;
  readonly version: number;
}

/** Declares pipelines, starts their runs exactly once per cause, and tells how they fare. */
export class PipelineService {
  readonly #options: PipelineServiceOptions;

  constructor(options: PipelineServiceOptions) {
    this.#options = options;
  }

  /**
   * Declares a pipeline, once everything about it has been checked.
   *
   * @param body unchecked JSON
   * @throws INVALID_ARGUMENT with every fault: its place, the nearest known name, what is known
   */
  async put(name: string, body: unknown, by: string): Promise<Pipeline> {
    const { body: checked, faults } = readDeclaration(name, body, this.#options.catalog);
    if (faults) throw refuse('pipeline', faults);
    const pipeline: Pipeline = { name, ...checked, updatedAt: this.#options.clock.now(), updatedBy: by };
    await this.#options.store.putPipeline(pipeline);
    return pipeline;
  }

  /** @throws NOT_FOUND */
  async get(name: string): Promise<PipelineView> {
    const pipeline = await this.#options.store.getPipeline(name);
    if (pipeline) return this.#toView(pipeline);
    throw new AppError('NOT_FOUND', `There is no pipeline "${name}".`, { pipeline: name });
  }

  async list(page: PageRequest): Promise<Page<PipelineView>> {
    const { items, ...rest } = await this.#options.store.listPipelines(page);
    return { items: items.map((pipeline) => this.#toView(pipeline)), ...rest };
  }

  /** A declaration that an earlier build stored may have faults in this one. */
  #toView(pipeline: Pipeline): PipelineView {
    const { name, updatedAt: _, updatedBy: __, ...body } = pipeline;
    const { faults } = readDeclaration(name, body, this.#options.catalog);
    return faults ? { ...pipeline, faults: faults.map(toFault) } : pipeline;
  }

  /**
   * Starts a run. The id decides what "the same run" is: starting it again is harmless.
   *
   * @throws INVALID_ARGUMENT as `put`
   */
  async start(engine: PipelineEngine, request: StartRequest): Promise<Run> {
    const { store, codeVersion, clock } = this.#options;
    const plan = this.#plan(request);
    const run = await store.createRun({
      runId: request.runId,
      pipeline: request.pipeline,
      plan,
      cause: request.cause,
      codeVersion,
      status: 'pending',
      createdAt: clock.now(),
    });
    // The document may be older than the orchestration: a process that died in between left no instance.
    if (run.status === 'pending') await engine.start(run.runId, run.plan);
    return run;
  }

  /**
   * Starts every pipeline that waits for this dataset. At least once delivered, exactly once run. One that this build
   * cannot start (its definition was removed) is told in the log and does not hold up the others.
   */
  async onDatasetVersion(
    engine: PipelineEngine,
    event: DatasetVersionCreated,
    logger: Logger = silentLogger,
  ): Promise<readonly Run[]> {
    const { store } = this.#options;
    const runs: Run[] = [];
    await forEachSettled(
      eachItem((page) => store.listPipelines(page, event.dataset)),
      async (pipeline) => {
        runs.push(await this.#startForVersion(engine, pipeline, event));
      },
      (pipeline, error) => logUnstartable(logger, pipeline, error),
    );
    return runs;
  }

  /** @throws NOT_FOUND */
  async getRun(runId: string): Promise<RunView> {
    const { store } = this.#options;
    const [run, steps] = await Promise.all([store.getRun(runId), store.listSteps(runId)]);
    const byName = new Map(steps.map((step) => [step.step, step]));
    return {
      runId,
      pipeline: run.pipeline,
      definition: run.plan.definition,
      status: run.status,
      cause: run.cause,
      params: run.plan.params,
      codeVersion: run.codeVersion,
      createdAt: run.createdAt,
      endedAt: run.endedAt,
      steps: run.plan.steps.map((step) => toStepView(step.name, byName.get(step.name))),
      outputs: run.outputs,
      error: run.error,
    };
  }

  listRuns(page: PageRequest, only?: RunFilter): Promise<Page<Run>> {
    return this.#options.store.listRuns(page, only);
  }

  /** The last act of an orchestration. A run that was cancelled meanwhile stays cancelled. */
  async finish(runId: string, result: RunResult): Promise<void> {
    const endedAt = this.#options.clock.now();
    await this.#options.store.updateRun(runId, (run) =>
      run.endedAt === undefined ? { ...run, ...result, status: statusOf(result), endedAt } : run,
    );
  }

  /** Running steps see it within a second and stop. @throws NOT_FOUND, PRECONDITION_FAILED when it has ended */
  async cancel(engine: PipelineEngine, runId: string, by: string): Promise<void> {
    const endedAt = this.#options.clock.now();
    const run = await this.#options.store.updateRun(runId, (run) =>
      run.endedAt === undefined ? { ...run, status: 'cancelled', cancelledBy: by, endedAt } : run,
    );
    if (run.status !== 'cancelled') {
      throw new AppError('PRECONDITION_FAILED', `The run has already ended: ${run.status}.`, {
        status: run.status,
      });
    }
    await engine.terminate(runId, `cancelled by ${by}`);
  }

  /**
   * Looks after what events may have missed: runs that were recorded but never reached the engine, and the
   * newest version of each dataset that a pipeline waits for. Everything it starts has the id that the event
   * would have given it.
   */
  async reconcile(engine: PipelineEngine, latestVersionOf: LatestVersionOf, logger: Logger): Promise<void> {
    const { clock, store } = this.#options;
    const startedBefore = clock.now() - pendingPatienceMs;
    // Listed whole before any is started: starting takes runs out of the very list that is walked.
    const pending = await Array.fromAsync(eachItem((page) => store.listRuns(page, { status: 'pending' })));
    for (const run of pending.filter(({ createdAt }) => createdAt < startedBefore)) {
      await engine.start(run.runId, run.plan);
    }
    const startNewest = async (pipeline: Pipeline) => {
      const dataset = pipeline.on?.dataset;
      const version = dataset === undefined ? undefined : await latestVersionOf(dataset);
      if (dataset === undefined || version === undefined) return;
      const before = clock.now();
      const event = { type: 'dataset.version.created', dataset, version } as const;
      const run = await this.#startForVersion(engine, pipeline, event);
      if (run.createdAt >= before) logger.log('info', 'reconciled a run', { runId: run.runId });
    };
    await forEachSettled(
      eachItem((page) => this.list(page)),
      startNewest,
      (pipeline, error) => logUnstartable(logger, pipeline, error),
    );
  }

  #startForVersion(engine: PipelineEngine, pipeline: Pipeline, event: DatasetVersionCreated): Promise<Run> {
    const { name, definition, steps, params } = pipeline;
    const given: JsonObject = { dataset: event.dataset, version: event.version };
    const content = { definition, steps, params: { ...params, ...given } } as unknown as JsonObject;
    const fingerprint = sha256(canonicalJson(content)).slice(0, 12);
    return this.start(engine, {
      runId: `${name}-v${event.version}-${fingerprint}`,
      pipeline: name,
      definition,
      steps,
      params,
      given,
      cause: { ...event },
    });
  }

  #plan(request: PlanRequest): Plan {
    const { plan, faults } = planPipeline(request, this.#options.catalog);
    if (faults) throw refuse('pipeline', faults);
    return plan;
  }
}

function logUnstartable(logger: Logger, { name, definition }: Pipeline, { code, message }: AppError): void {
  logger.log('error', 'pipeline not started', { pipeline: name, definition, code, detail: message });
}

function statusOf({ status, error }: RunResult): RunStatus {
  return error?.code === 'SUPERSEDED' ? 'superseded' : status;
}

/** A step's state without its output, which stands in the run's. */
function toStepView(name: string, step: StepRun | undefined): RunView['steps'][number] {
  if (!step) return { step: name, status: 'waiting', attempt: 0 };
  const { output: _, ...state } = step;
  return state;
}

export interface StartRequest extends PlanRequest {
  readonly runId: string;
  readonly cause: JsonObject;
}

/** @returns undefined when the dataset has no version yet */
export type LatestVersionOf = (dataset: string) => Promise<number | undefined>;
