import type { Clock } from '../../../shared/core/clock.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import type { FunctionRegistry } from '../identity.ts';
import type { InboxEvent } from '../model.ts';
import { settleWithin } from './ready-queue.ts';
import type { Stores } from '../store/turn-commit.ts';
import type { WireCodec } from '../wire/wire-codec.ts';
import type { ActivityWork } from '../store/work-store.ts';

export interface ActivityDeps {
  readonly stores: Stores;
  readonly codec: WireCodec;
  readonly registry: FunctionRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly wakeInstance: (instanceId: string) => void;
  readonly invoke: (functionName: string, input: string) => Promise<unknown>;
}

const commitRetryMs = 1000;

/**
 * Runs activities, oldest first. Unfinished rows of the table run again after a crash: an activity runs at least once,
 * so it must be idempotent by (instance, task).
 */
export class ActivityPump {
  readonly #deps: ActivityDeps;
  readonly #concurrency: number;
  readonly #running = new Set<Promise<void>>();
  /** This process has started all work up to here. */
  #startedSeq = 0;
  #isScheduled = false;
  #isOpen = false;

  constructor(deps: ActivityDeps, { concurrency }: { readonly concurrency: number }) {
    this.#deps = deps;
    this.#concurrency = concurrency;
  }

  open(): void {
    this.#isOpen = true;
    this.wake();
  }

  /** Starts no more work and waits up to `timeoutMs` for running calls; later ones run again after the next start. */
  async close(timeoutMs: number): Promise<void> {
    this.#isOpen = false;
    await settleWithin(this.#running, timeoutMs);
  }

  /** Looks for new work in the next turn of the event loop. */
  wake(): void {
    if (this.#isScheduled || !this.#isOpen) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#isOpen) this.#fill();
    });
  }

  #fill(): void {
    const free = this.#concurrency - this.#running.size;
    if (free <= 0) return;
    try {
      for (const work of this.#deps.stores.work.listActivitiesAfter(this.#startedSeq, free)) {
        this.#startedSeq = work.seq;
        const run = this.#run(work).finally(() => {
          this.#running.delete(run);
          this.wake();
        });
        this.#running.add(run);
      }
    } catch (error) {
      this.#deps.log.log('error', 'Reading activities failed; retrying', { cause: String(error) });
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
        this.#deps.log.log('error', 'Saving the result of an activity failed; retrying', {
          instanceId: work.instanceId,
          activity: work.name,
          cause: String(error),
        });
        await new Promise<void>((resolve) => setTimeout(resolve, commitRetryMs).unref());
      }
    } while (this.#isOpen);
  }

  async #execute(work: ActivityWork): Promise<InboxEvent> {
    const { codec, registry, clock } = this.#deps;
    const name = registry.find('activity', work.name);
    try {
      if (name === undefined) throw new Error(registry.whyUnknown('activity', work.name) ?? work.name);
      const result = codec.encodeActivityResult(await this.#deps.invoke(name, work.input));
      return { type: 'taskCompleted', atMs: clock.now(), taskId: work.taskId, result };
    } catch (error) {
      const details = error instanceof Error ? error.message : String(error);
      const reason = `Activity function '${work.name}' failed: ${details}`;
      return { type: 'taskFailed', atMs: clock.now(), taskId: work.taskId, reason, details };
    }
  }

  #commit(work: ActivityWork, event: InboxEvent): void {
    const { db, instances, work: table } = this.#deps.stores;
    const isWanted = db.transaction(() => {
      if (!table.removeActivity(work.seq)) return false;
      instances.post(work.instanceId, work.executionId, event);
      return true;
    });
    if (isWanted) this.#deps.wakeInstance(work.instanceId);
  }
}
