import { AppError } from '../errors.ts';
import { cancelled, throwIfCancelled } from './cancelled.ts';

/** A FIFO semaphore. */
export class Semaphore {
  #free: number;
  readonly #waiting = new Set<() => void>();
  readonly #maxWaiting: number;

  /** @param maxWaiting the maximum number of waiting callers; further callers are refused */
  constructor(permits: number, maxWaiting = Infinity) {
    this.#free = permits;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Waits for a permit. Disposing releases it: `using permit = await semaphore.acquire(signal)`.
   *
   * @throws CANCELLED when the signal fires first; RATE_LIMITED when `maxWaiting` callers already wait
   */
  async acquire(signal?: AbortSignal): Promise<Disposable> {
    throwIfCancelled(signal, 'The wait');
    if (this.#free > 0) this.#free -= 1;
    else if (this.#waiting.size < this.#maxWaiting) await this.#wait(signal);
    else {
      const message = `${this.#waiting.size} other callers are already waiting. Retry in a moment.`;
      throw new AppError('RATE_LIMITED', message, { retryAfterMs: 1_000 });
    }
    let isReleased = false;
    return {
      [Symbol.dispose]: () => {
        if (!isReleased) this.#release();
        isReleased = true;
      },
    };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      this.#waiting.delete(resolve);
      reject(cancelled('The wait'));
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    // Pass the permit on without freeing it, so that no new caller can take it.
    this.#waiting.delete(next);
    next();
  }
}
