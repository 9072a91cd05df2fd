import type { Clock } from '../../../shared/core/clock.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import type { FunctionRegistry } from '../identity.ts';
import type { InboxEvent } from '../model.ts';
import { settleWithin } from './ready-queue.ts';
import type { Stores } from '../store/turn-commit.ts';
import type { WireCodec } from '../wire/wire-codec.ts';
import type { ActivityWork } from '../store/work-store.ts';

export interface ActivityOptions {
  readonly stores: Stores;
  readonly codec: WireCodec;
  readonly registry: FunctionRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly concurrency: number;
  readonly wakeInstance: (instanceId: string) => void;
  readonly invoke: (functionName: string, input: string) => Promise<unknown>;
}

const commitRetryMs = 1000;

/**
 * Runs activities, oldest first, at most `concurrency` at once. What is in the table but not yet finished is run again
 * after a crash: at least once, hence activities are idempotent by (instance, task).
 */
export class ActivityPump {
  readonly #options: ActivityOptions;
  readonly #running = new Set<Promise<void>>();
  /** All work up to here has been started by this process. */
  #startedSeq = 0;
  #isScheduled = false;
  #isOpen = false;

  constructor(options: ActivityOptions) {
    this.#options = options;
  }

  open(): void {
    this.#isOpen = true;
    this.wake();
  }

  /** Starts nothing more and waits for what runs, at most `timeoutMs`; what is later runs again next time. */
  async close(timeoutMs: number): Promise<void> {
    this.#isOpen = false;
    await settleWithin(this.#running, timeoutMs);
  }

  /** There may be new work. Taken up in the next turn of the event loop. */
  wake(): void {
    if (this.#isScheduled || !this.#isOpen) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#isOpen) this.#fill();
    });
  }

  #fill(): void {
    const free = this.#options.concurrency - this.#running.size;
    if (free <= 0) return;
    try {
      for (const work of this.#options.stores.work.listActivitiesAfter(this.#startedSeq, free)) {
        this.#startedSeq = work.seq;
        const run = this.#run(work).finally(() => {
          this.#running.delete(run);
          this.wake();
        });
        this.#running.add(run);
      }
    } catch (error) {
      this.#options.log.log('error', 'Activities could not be read; trying again.', { cause: String(error) });
      setTimeout(() => this.wake(), commitRetryMs).unref();
    }
  }

  async #run(work: ActivityWork): Promise<void> {
    const event = await this.#execute(work);
    do {
      try {
        this.#commit(work, event);
        return;
      } catch (error) {
        this.#options.log.log('error', 'The result of an activity could not be saved; trying again.', {
          instanceId: work.instanceId,
          activity: work.name,
          cause: String(error),
        });
        await new Promise<void>((resolve) => setTimeout(resolve, commitRetryMs).unref());
      }
    } while (this.#isOpen);
  }

  async #execute(work: ActivityWork): Promise<InboxEvent> {
    const { codec, registry, clock } = this.#options;
    const name = registry.find('activity', work.name);
    try {
      if (name === undefined) throw new Error(registry.whyUnknown('activity', work.name) ?? work.name);
      const result = codec.encodeActivityResult(await this.#options.invoke(name, work.input));
      return { type: 'taskCompleted', atMs: clock.now(), taskId: work.taskId, result };
    } catch (error) {
      const details = error instanceof Error ? error.message : String(error);
      const reason = `Activity function '${work.name}' failed: ${details}`;
      return { type: 'taskFailed', atMs: clock.now(), taskId: work.taskId, reason, details };
    }
  }

  #commit(work: ActivityWork, event: InboxEvent): void {
    const { db, instances, work: table } = this.#options.stores;
    const isWanted = db.transaction(() => {
      if (!table.removeActivity(work.seq)) return false;
      instances.post(work.instanceId, work.executionId, event);
      return true;
    });
    if (isWanted) this.#options.wakeInstance(work.instanceId);
  }
}
