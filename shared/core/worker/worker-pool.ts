import { Semaphore } from '../async/semaphore.ts';

export interface PooledWorker extends AsyncDisposable {
  /** Whether it can take another job. */
  readonly isUsable: boolean;
}

export interface WorkerPoolOptions<W extends PooledWorker> {
  readonly start: () => Promise<W>;
  readonly maxWorkers: number;
  /** The maximum number of waiting callers; further callers are refused. */
  readonly maxWaiting: number;
  /** The time until an idle worker is disposed of. */
  readonly idleMs: number;
  /** A worker is replaced after this many jobs, which bounds leaks. */
  readonly maxJobs: number;
}

interface IdleWorker<W> {
  readonly worker: W;
  readonly jobs: number;
  readonly timer: NodeJS.Timeout;
}

/** A pool of workers, started on demand, lent to one caller at a time and disposed of when idle. */
export class WorkerPool<W extends PooledWorker> implements AsyncDisposable {
  readonly #options: WorkerPoolOptions<W>;
  readonly #permits: Semaphore;
  /** The most recently used last, so that surplus workers reach their idle time. */
  readonly #idle: IdleWorker<W>[] = [];
  #isClosed = false;

  constructor(options: WorkerPoolOptions<W>) {
    this.#options = options;
    this.#permits = new Semaphore(options.maxWorkers, options.maxWaiting);
  }

  /**
   * Lends a worker to `work`, starting one if none is idle.
   *
   * @throws errors of `start` and `work`; CANCELLED during the wait; RATE_LIMITED when too many callers wait
   */
  async use<R>(work: (worker: W) => Promise<R>, signal?: AbortSignal): Promise<R> {
    using _permit = await this.#permits.acquire(signal);
    const { worker, jobs } = this.#takeIdle() ?? { worker: await this.#options.start(), jobs: 0 };
    try {
      return await work(worker);
    } finally {
      if (worker.isUsable && jobs + 1 < this.#options.maxJobs && !this.#isClosed)
        this.#keep(worker, jobs + 1);
      else await worker[Symbol.asyncDispose]();
    }
  }

  /** Disposes of idle workers now, and of the others when their callers are done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map(({ worker, timer }) => this.#drop(worker, timer)));
  }

  #takeIdle(): IdleWorker<W> | undefined {
    for (;;) {
      const last = this.#idle.pop();
      if (last === undefined) return undefined;
      clearTimeout(last.timer);
      if (last.worker.isUsable) return last;
      // It died while idle: dispose of its resources.
      void this.#drop(last.worker, last.timer);
    }
  }

  #keep(worker: W, jobs: number): void {
    const timer = setTimeout(() => {
      const index = this.#idle.findIndex((idle) => idle.worker === worker);
      if (index >= 0) this.#idle.splice(index, 1);
      void this.#drop(worker, timer);
    }, this.#options.idleMs);
    timer.unref();
    this.#idle.push({ worker, jobs, timer });
  }

  async #drop(worker: W, timer: NodeJS.Timeout): Promise<void> {
    clearTimeout(timer);
    await worker[Symbol.asyncDispose]();
  }
}
