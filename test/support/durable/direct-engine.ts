import type { App } from '../../../shared/app.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { EngineStatus, PipelineEngine } from '../../../shared/domains/pipelines/engine.ts';
import {
  type DurableTasks,
  orchestrate,
  type RunResult,
} from '../../../shared/domains/pipelines/orchestrate.ts';
import type { Plan } from '../../../shared/domains/pipelines/plan.ts';

type Task = () => Promise<unknown>;

/**
 * An engine without durability: each run's generator is driven in this process, one task after the other. What goes
 * in and out of a task passes through JSON, as it does in Durable Functions.
 */
export class DirectEngine implements PipelineEngine {
  readonly #app: App;
  readonly #runs = new Map<string, Promise<RunResult>>();
  readonly #ended = new Map<string, EngineStatus>();

  constructor(app: App) {
    this.#app = app;
  }

  get runIds(): readonly string[] {
    return [...this.#runs.keys()];
  }

  async start(runId: string, plan: Plan): Promise<void> {
    if (this.#runs.has(runId)) return;
    const result = this.#drive(runId, viaJson(plan));
    this.#runs.set(runId, result);
    // Whoever waits for the run hears of a failure; nobody has to.
    void result.then(
      () => this.#ended.set(runId, 'completed'),
      () => this.#ended.set(runId, 'failed'),
    );
  }

  async status(runId: string): Promise<EngineStatus | undefined> {
    return this.#ended.get(runId) ?? (this.#runs.has(runId) ? 'running' : undefined);
  }

  terminate(): Promise<void> {
    return Promise.reject(new Error('no test cancels a run of this engine'));
  }

  /** @returns how the run ended; rejects for one that was never started. */
  async result(runId: string): Promise<RunResult> {
    const result = this.#runs.get(runId);
    if (result === undefined) throw new Error(`the run ${runId} was never started`);
    return result;
  }

  async #drive(runId: string, plan: Plan): Promise<RunResult> {
    const app = this.#app;
    const tasks: DurableTasks<Task> = {
      callStep: (call) => async () => viaJson(await app.runStep(viaJson(call), silentLogger)),
      finish: (id, result) => () => app.pipelines.finish(id, viaJson(result)),
      all: (all) => () => Promise.all(all.map((task) => task())),
      sleep: (ms) => () => app.clock.sleep(ms),
      setStatus: () => {},
    };
    const generator = orchestrate(runId, plan, tasks);
    let next = generator.next();
    while (!next.done) next = generator.next(await next.value());
    return next.value;
  }
}

function viaJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
