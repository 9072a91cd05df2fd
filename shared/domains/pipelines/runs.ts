import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json/json.ts';
import { refuse } from '../../core/validate.ts';
import type { Page, PageRequest } from '../../platform/storage/page.ts';
import type { MessageQueue } from '../../platform/storage/queue.ts';
import type { Run, RunStatus, RunView, StepRun } from './entities.ts';
import type { RunResult } from './orchestrate.ts';
import { type Catalog, planPipeline, type PlanRequest } from './planning/plan-pipeline.ts';
import { sendRunMessage } from './run-messages.ts';
import type { RunFilter, RunStore } from './run-store.ts';

export interface RunsDeps {
  readonly store: RunStore;
  readonly queue: Pick<MessageQueue, 'send'>;
  readonly catalog: Catalog;
  readonly clock: Clock;
}

export interface RunsOptions {
  readonly codeVersion: string;
}

export interface StartRequest extends PlanRequest {
  /** Decides what "the same run" is. */
  readonly runId: string;
  /** Why it runs: the event, or the person. */
  readonly cause: JsonObject;
}

/** Runs of pipelines. A recorded run starts, and a cancelled one stops, after a crash at any point. */
export class Runs {
  readonly #deps: RunsDeps;
  readonly #options: RunsOptions;

  constructor(deps: RunsDeps, options: RunsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Records a run and sends the message that starts it. The same id again is the same run, and sends the message again
   * if the run has not started.
   *
   * @throws INVALID_ARGUMENT for a pipeline that this build cannot plan; as `MessageQueue.send`, and then the run is
   *   recorded: another call, or the timer, starts it
   */
  async start(request: StartRequest): Promise<Run> {
    const run = await this.record(request);
    await this.requestStart(run);
    return run;
  }

  /** Records a run, which the timer starts if the message is lost. @throws INVALID_ARGUMENT as `start` */
  async record(request: StartRequest): Promise<Run> {
    const { store, catalog, clock } = this.#deps;
    const { plan, faults } = planPipeline(request, catalog);
    if (faults) throw refuse('pipeline', faults);
    return store.createRun({
      runId: request.runId,
      pipeline: request.pipeline,
      plan,
      cause: request.cause,
      codeVersion: this.#options.codeVersion,
      status: 'pending',
      createdAt: clock.now(),
    });
  }

  /** @param again as for `sendRunMessage` @throws as `MessageQueue.send` */
  async requestStart({ runId, status }: Run, again?: string): Promise<void> {
    if (status !== 'pending' && again === undefined) return;
    await sendRunMessage(this.#deps.queue, { type: 'run.start', runId }, again);
  }

  /** @throws NOT_FOUND */
  async get(runId: string): Promise<RunView> {
    const { store } = this.#deps;
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

  list(page: PageRequest, only?: RunFilter): Promise<Page<Run>> {
    return this.#deps.store.listRuns(page, only);
  }

  /** Records how a run ended. The first end counts: a run that was cancelled stays cancelled. */
  async finish(runId: string, result: RunResult): Promise<void> {
    const endedAt = this.#deps.clock.now();
    await this.#deps.store.updateRun(runId, (run) =>
      run.endedAt === undefined ? { ...run, ...result, status: statusOf(result), endedAt } : run,
    );
  }

  /**
   * Records that a run is cancelled: running steps see it within a second and stop, and no further step begins. Again
   * for a cancelled run, it only sends the message again.
   *
   * @throws NOT_FOUND, PRECONDITION_FAILED when it has ended otherwise
   */
  async cancel(runId: string, by: string): Promise<void> {
    const endedAt = this.#deps.clock.now();
    const run = await this.#deps.store.updateRun(runId, (before) =>
      before.endedAt === undefined ? { ...before, status: 'cancelled', cancelledBy: by, endedAt } : before,
    );
    if (run.status !== 'cancelled') {
      throw new AppError('PRECONDITION_FAILED', `The run has already ended: ${run.status}.`, {
        status: run.status,
      });
    }
    await sendRunMessage(this.#deps.queue, { type: 'run.cancel', runId });
  }
}

function statusOf({ status, error }: RunResult): RunStatus {
  return error?.code === 'SUPERSEDED' ? 'superseded' : status;
}

/** A step's state without its output, which the run's outputs have. */
function toStepView(name: string, step: StepRun | undefined): RunView['steps'][number] {
  if (!step) return { step: name, status: 'waiting', attempt: 0 };
  const { output: _, ...state } = step;
  return state;
}
