import { AppError, isAppError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { validate } from '../../core/validate.ts';
import type { EngineStatus, PipelineEngine } from './engine.ts';
import type { Run } from './entities.ts';
import { scheduleSchema } from './plan.ts';
import { runMessageSchema } from './run-messages.ts';
import type { RunStore } from './run-store.ts';
import type { Runs } from './runs.ts';

export interface RunControlDeps {
  readonly store: Pick<RunStore, 'getRun' | 'listSteps'>;
  readonly runs: Pick<Runs, 'finish'>;
}

/** Applies the messages of the queue to the engine. A message may arrive twice, late or out of order. */
export class RunControl {
  readonly #deps: RunControlDeps;

  constructor(deps: RunControlDeps) {
    this.#deps = deps;
  }

  /** @throws INVALID_ARGUMENT for a message of another shape; UNAVAILABLE and what else a retry can help */
  async handle(message: unknown, engine: PipelineEngine, logger: Logger): Promise<void> {
    const { type, runId } = validate(runMessageSchema, message, 'run message');
    const run = await this.#getRun(runId);
    if (type === 'run.cancel') await cancel(run, engine);
    else await this.#start(run, engine, logger);
  }

  async #start(run: Run, engine: PipelineEngine, logger: Logger): Promise<void> {
    if (run.endedAt !== undefined) return;
    const { runId } = run;
    const status = await engine.status(runId);
    if (status === undefined) await engine.start(runId, validate(scheduleSchema, run.plan, 'plan'));
    else if (hasEnded(status)) await this.#recordEnd(run, status, logger);
  }

  /** The engine ended a run without a recorded outcome: its orchestrator failed, or it was terminated elsewhere. */
  async #recordEnd(run: Run, status: EngineStatus, logger: Logger): Promise<void> {
    const { runId, plan } = run;
    const steps = await this.#deps.store.listSteps(runId);
    const done = new Set(steps.filter((step) => step.status === 'succeeded').map((step) => step.step));
    const step = plan.steps.find(({ name }) => !done.has(name))?.name ?? plan.steps[0]!.name;
    logger.log('error', 'run ended without a result', { runId, status });
    const message = `The run ended without a result (${status}). Start it again.`;
    await this.#deps.runs.finish(runId, {
      status: 'failed',
      outputs: {},
      error: { step, code: 'INTERNAL', message, retry: false },
    });
  }

  /** A message is sent after its run is written, but another instance may not see the write at once. */
  async #getRun(runId: string): Promise<Run> {
    return this.#deps.store.getRun(runId).catch((error: unknown) => {
      if (!isAppError(error, 'NOT_FOUND')) throw error;
      throw new AppError(
        'UNAVAILABLE',
        `The run ${JSON.stringify(runId)} is not there yet.`,
        { runId },
        error,
      );
    });
  }
}

async function cancel({ runId, status, cancelledBy }: Run, engine: PipelineEngine): Promise<void> {
  if (status === 'cancelled') await engine.terminate(runId, `cancelled by ${cancelledBy ?? 'somebody'}`);
}

function hasEnded(status: EngineStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'terminated';
}
