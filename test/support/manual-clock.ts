import type { Clock } from '../../shared/core/clock.ts';

interface Sleeper {
  readonly wakeMs: number;
  readonly wake: () => void;
}

/** A clock that only moves when the test moves it. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => end(() => reject(signal?.reason as Error));
      const sleeper = { wakeMs: this.#nowMs + ms, wake: () => end(resolve) };
      if (signal?.aborted) return reject(signal.reason as Error);
      if (ms <= 0) return resolve();
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', abort);
    });
  }

  /** The number of pending sleeps. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** Wakes the sleeps that are due, the earliest first. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = [...this.#sleepers].filter(({ wakeMs }) => wakeMs <= this.#nowMs);
    for (const { wake } of due.sort((a, b) => a.wakeMs - b.wakeMs)) wake();
  }
}
