import type { Clock } from '../../../shared/core/clock.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import type { Stores } from '../store/turn-commit.ts';

export interface TimerDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Logger;
  readonly wakeInstance: (instanceId: string) => void;
}

const maxSleepMs = 60 * 60 * 1000;
const failureSleepMs = 1000;
const maxFiredAtOnce = 200;

/** Fires durable timers. The table is their only state, so a restart continues with the earliest of them. */
export class TimerService {
  readonly #deps: TimerDeps;
  #sleep: AbortController | undefined;
  #isOpen = false;

  constructor(deps: TimerDeps) {
    this.#deps = deps;
  }

  open(): void {
    this.#isOpen = true;
    this.rearm();
  }

  close(): void {
    this.#isOpen = false;
    this.#sleep?.abort();
  }

  /** Sleeps until the earliest timer; call it when timers were added. */
  rearm(): void {
    this.#sleep?.abort();
    if (!this.#isOpen) return;
    const sleep = new AbortController();
    this.#sleep = sleep;
    const { clock } = this.#deps;
    clock.sleep(this.#sleepMs(), sleep.signal).then(
      () => this.#fire(),
      () => undefined,
    );
  }

  #sleepMs(): number {
    try {
      const nextMs = this.#deps.stores.work.nextTimerMs();
      if (nextMs === undefined) return maxSleepMs;
      return Math.min(Math.max(nextMs - this.#deps.clock.now(), 0), maxSleepMs);
    } catch (error) {
      this.#deps.log.log('error', 'Reading timers failed; retrying', { cause: String(error) });
      return failureSleepMs;
    }
  }

  #fire(): void {
    const { stores, clock, log, wakeInstance } = this.#deps;
    const fired = new Set<string>();
    try {
      const nowMs = clock.now();
      stores.db.transaction(() => {
        for (const { instanceId, timerId, fireAtMs } of stores.work.listDueTimers(nowMs, maxFiredAtOnce)) {
          stores.work.removeTimer(instanceId, timerId);
          const executionId = stores.instances.find(instanceId)?.executionId;
          if (executionId === undefined) continue;
          stores.instances.post(instanceId, executionId, {
            type: 'timerFired',
            atMs: nowMs,
            timerId,
            fireAtMs,
          });
          fired.add(instanceId);
        }
      });
    } catch (error) {
      log.log('error', 'Firing timers failed; retrying', { cause: String(error) });
      clock.sleep(failureSleepMs, this.#sleep?.signal).then(
        () => this.rearm(),
        () => undefined,
      );
      return;
    }
    for (const instanceId of fired) wakeInstance(instanceId);
    this.rearm();
  }
}
