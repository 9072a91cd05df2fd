import { AppError } from './errors.ts';

/** A fixed number of turns, taken in the order of asking. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();
  readonly #maxWaiting: number;

  /** @param maxWaiting how many may wait; more are refused */
  constructor(turns: number, maxWaiting = Infinity) {
    this.#free = turns;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Waits for a turn, which ends when it is disposed: `using turn = await turns.take(signal)`.
   *
   * @throws AppError CANCELLED on abort, also while waiting; RATE_LIMITED when too many wait
   */
  async take(signal?: AbortSignal): Promise<Disposable> {
    if (signal?.aborted) throw cancelled();
    if (this.#free > 0) this.#free -= 1;
    else if (this.#waiting.size < this.#maxWaiting) await this.#wait(signal);
    else {
      const message = `${this.#waiting.size} others wait for the same already: try again in a moment.`;
      throw new AppError('RATE_LIMITED', message, { retryAfterMs: 1_000 });
    }
    let isOver = false;
    const end = () => {
      if (!isOver) this.#give();
      isOver = true;
    };
    return { [Symbol.dispose]: end };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      this.#waiting.delete(resolve);
      reject(cancelled());
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', abort, { once: true });
    await promise;
    signal?.removeEventListener('abort', abort);
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    // The turn passes on without becoming free, so that nobody can jump the queue.
    this.#waiting.delete(next);
    next();
  }
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'It was cancelled.');
}
