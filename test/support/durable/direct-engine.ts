import type { App } from '../../../shared/app.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { EngineStatus, PipelineEngine } from '../../../shared/domains/pipelines/engine.ts';
import {
  type DurableTasks,
  orchestrate,
  type RunResult,
} from '../../../shared/domains/pipelines/orchestrate.ts';
import type { Schedule } from '../../../shared/domains/pipelines/plan.ts';
import { queues } from '../../../shared/core/names/resources.ts';
import type { MessageQueue } from '../../../shared/platform/storage/queue.ts';

type Task = () => Promise<unknown>;

/**
 * An engine without durability: it drives each run's generator in this process, one task after another. Inputs and
 * outputs of tasks pass through JSON, as in Durable Functions.
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

  async start(runId: string, schedule: Schedule): Promise<void> {
    if (this.#runs.has(runId)) return;
    const result = this.#drive(runId, viaJson(schedule));
    this.#runs.set(runId, result);
    // A failure is reported to the callers that wait for the run, if any.
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

  /** @returns the result of the run. @throws for a run that was never started */
  async result(runId: string): Promise<RunResult> {
    const result = this.#runs.get(runId);
    if (result === undefined) throw new Error(`the run ${runId} was never started`);
    return result;
  }

  /** Handles the waiting messages of the queue `runs`, as its function does. */
  async handleMessages(queue: MessageQueue): Promise<void> {
    for (;;) {
      const [message] = await queue.receive({ queue: queues.runs }, { maxMessages: 1, waitMs: 0 });
      if (!message) return;
      await this.#app.pipelines.control.handle(message.body, this, silentLogger);
      await queue.complete(message);
    }
  }

  async #drive(runId: string, schedule: Schedule): Promise<RunResult> {
    const app = this.#app;
    const tasks: DurableTasks<Task> = {
      callStep: (call) => async () => viaJson(await app.pipelines.runStep(viaJson(call), silentLogger)),
      finish: (id, result) => () => app.pipelines.runs.finish(id, viaJson(result)),
      all: (all) => () => Promise.all(all.map((task) => task())),
      sleep: (ms) => () => app.clock.sleep(ms),
      setStatus: () => {},
    };
    const generator = orchestrate(runId, schedule, tasks);
    let next = generator.next();
    while (!next.done) next = generator.next(await next.value());
    return next.value;
  }
}

function viaJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
