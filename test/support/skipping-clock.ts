import { type Clock, systemClock } from '../../shared/core/clock.ts';

/** The system's clock, which a test can advance, for code that waits in real time and counts in hours. */
export class SkippingClock implements Clock {
  #skippedMs = 0;
  readonly #naps = new Set<AbortController>();

  now(): number {
    return Date.now() + this.#skippedMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const wakeAt = this.now() + ms;
    do {
      const nap = new AbortController();
      this.#naps.add(nap);
      const either = signal === undefined ? nap.signal : AbortSignal.any([nap.signal, signal]);
      try {
        await systemClock.sleep(wakeAt - this.now(), either);
      } catch (error) {
        if (signal?.aborted === true) throw error;
      } finally {
        this.#naps.delete(nap);
      }
    } while (this.now() < wakeAt);
  }

  /** Due sleeps wake up, the others continue. */
  skip(ms: number): void {
    this.#skippedMs += ms;
    for (const nap of this.#naps) nap.abort();
  }
}
