import { cancelled } from '../../../core/async/cancelled.ts';

const work = 'Converting the table';

export interface Lease<T> {
  readonly connection: T;
  giveBack(): void;
}

/** A bounded pool of connections, opened on demand. Callers queue when all are in use. */
export class ConnectionPool<T> {
  readonly #size: number;
  readonly #open: () => Promise<T>;
  readonly #free: T[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #leases = new Set<Promise<void>>();
  #opened = 0;
  #isClosed = false;

  constructor(size: number, open: () => Promise<T>) {
    this.#size = size;
    this.#open = open;
  }

  async use<R>(signal: AbortSignal, run: (connection: T) => Promise<R>): Promise<R> {
    const lease = await this.take(signal);
    try {
      return await run(lease.connection);
    } catch (error) {
      throw signal.aborted ? cancelled(work, error) : error;
    } finally {
      lease.giveBack();
    }
  }

  /** @throws CANCELLED when the signal has fired, or the pool is closed */
  async take(signal: AbortSignal): Promise<Lease<T>> {
    for (;;) {
      if (signal.aborted || this.#isClosed) throw cancelled(work);
      const free = this.#free.pop();
      if (free !== undefined) return this.#lend(free);
      if (this.#opened < this.#size) {
        this.#opened += 1;
        try {
          return this.#lend(await this.#open());
        } catch (error) {
          this.#opened -= 1;
          this.#waiting.shift()?.();
          throw error;
        }
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits for connections in use. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all(this.#leases);
  }

  #lend(connection: T): Lease<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#leases.add(promise);
    return {
      connection,
      giveBack: () => {
        if (!this.#leases.delete(promise)) return;
        resolve();
        this.#free.push(connection);
        this.#waiting.shift()?.();
      },
    };
  }
}
