/** How long a key rests after a run; `wakeAfter` further additions end the rest early. */
export interface Rest {
  readonly ms: number;
  readonly wakeAfter: number;
}

export interface ReadyQueueOptions {
  readonly concurrency: number;
  /** Runs one key; never twice at once. */
  run(key: string): Promise<Rest | undefined>;
  /** A run itself failed, as when the database is locked; the key is retried after a delay. */
  onError(key: string, error: unknown): void;
}

const retryDelayMs = 1000;

/**
 * A queue of keys with work to do. Runs them in the order they became ready, each key at most once at a time. Starts
 * at most one run per turn of the event loop, so that requests and timers get their turns in between.
 */
export class ReadyQueue {
  readonly #options: ReadyQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #resting = new Map<string, { readonly timer: NodeJS.Timeout; left: number; isWanted: boolean }>();
  #isScheduled = false;
  #isOpen = false;

  constructor(options: ReadyQueueOptions) {
    this.#options = options;
  }

  open(): void {
    this.#isOpen = true;
    this.#schedule();
  }

  /** Starts no more runs and waits up to `timeoutMs` for running ones. */
  async close(timeoutMs: number): Promise<void> {
    this.#isOpen = false;
    for (const { timer } of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
    await settleWithin(this.#running.values(), timeoutMs);
  }

  add(key: string): void {
    const rest = this.#resting.get(key);
    if (rest !== undefined) {
      rest.isWanted = true;
      if (--rest.left <= 0) this.#awake(key);
      return;
    }
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isOpen) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#startOne();
    });
  }

  #startOne(): void {
    if (!this.#isOpen || this.#running.size >= this.#options.concurrency) return;
    const [key] = this.#waiting;
    if (key === undefined) return;
    this.#waiting.delete(key);
    this.#running.set(key, this.#run(key));
    this.#schedule();
  }

  async #run(key: string): Promise<void> {
    let rest: Rest | undefined;
    try {
      rest = await this.#options.run(key);
    } catch (error) {
      this.#options.onError(key, error);
      this.#again.add(key);
      rest = { ms: retryDelayMs, wakeAfter: Number.POSITIVE_INFINITY };
    }
    this.#running.delete(key);
    const isWanted = this.#again.delete(key);
    if (rest !== undefined && this.#isOpen) {
      const timer = setTimeout(() => this.#awake(key), rest.ms);
      this.#resting.set(key, { timer, left: rest.wakeAfter, isWanted });
    } else if (isWanted) {
      this.#waiting.add(key);
    }
    this.#schedule();
  }

  #awake(key: string): void {
    const rest = this.#resting.get(key);
    if (rest === undefined) return;
    clearTimeout(rest.timer);
    this.#resting.delete(key);
    if (rest.isWanted) this.add(key);
  }
}

/** Resolves when all have settled, or after `timeoutMs`. */
export async function settleWithin(promises: Iterable<Promise<void>>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([Promise.allSettled(promises), timeout]);
  clearTimeout(timer);
}
