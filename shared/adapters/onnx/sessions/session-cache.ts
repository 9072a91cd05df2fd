import { AppError } from '../../../core/errors.ts';
import { Lru } from '../../../core/lru.ts';

/** Something loaded from a model's bytes that must be released. */
export interface Loaded {
  /** Of the model's bytes; the runtime's memory is of the same order. */
  readonly sizeBytes: number;
  release(): Promise<void>;
}

/** A loaded model, which is not released before it is disposed of. */
export interface Loan<T> extends AsyncDisposable {
  readonly value: T;
}

interface Entry<T> {
  readonly loading: Promise<T>;
  users: number;
  isEvicted: boolean;
}

/**
 * Loaded models by the hash of their bytes. The least recently used are released once their bytes exceed the bound; one
 * in use is released by its last user. Concurrent callers share the load of a model; a failed
 * load is forgotten.
 */
export class SessionCache<T extends Loaded> {
  readonly #maxBytes: number;
  readonly #entries: Lru<string, Entry<T>>;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#entries = new Lru({ maxCost: maxBytes });
  }

  get bytes(): number {
    return this.#entries.cost;
  }

  has(key: string): boolean {
    return this.#entries.peek(key) !== undefined;
  }

  /**
   * Lends a model, loading it if need be.
   *
   * @throws what `load` throws; AppError UNPROCESSABLE for a model that alone exceeds the bound.
   */
  async lend(key: string, load: () => Promise<T>): Promise<Loan<T>> {
    const entry = this.#entries.get(key) ?? this.#add(key, load);
    entry.users += 1;
    const giveBack = async () => {
      entry.users -= 1;
      if (entry.isEvicted) await releaseUnused(entry);
    };
    try {
      return { value: await entry.loading, [Symbol.asyncDispose]: giveBack };
    } catch (error) {
      if (this.#entries.peek(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  /** As `lend`, for as long as `work` takes. */
  async use<R>(key: string, load: () => Promise<T>, work: (loaded: T) => Promise<R>): Promise<R> {
    await using loan = await this.lend(key, load);
    return await work(loan.value);
  }

  /** Releases every model that is not in use; the others are released by their last users. */
  async clear(): Promise<void> {
    for (const [key] of this.#entries.entries()) {
      const entry = this.#entries.delete(key);
      if (entry) await evict(entry);
    }
  }

  #add(key: string, load: () => Promise<T>): Entry<T> {
    const loadChecked = async (): Promise<T> => {
      const loaded = await load();
      const { sizeBytes } = loaded;
      if (sizeBytes > this.#maxBytes) {
        await loaded.release();
        throw new AppError(
          'UNPROCESSABLE',
          `The model has ${sizeBytes} bytes; no more than ${this.#maxBytes} are kept loaded.`,
          { sha256: key, sizeBytes, maxBytes: this.#maxBytes },
        );
      }
      // Cleared meanwhile: its users own it.
      if (!entry.isEvicted)
        for (const dropped of this.#entries.set(key, entry, sizeBytes)) await evict(dropped);
      return loaded;
    };
    const entry: Entry<T> = { loading: Promise.resolve().then(loadChecked), users: 0, isEvicted: false };
    // Its cost is known once it is loaded.
    this.#entries.set(key, entry, 0);
    return entry;
  }
}

async function evict<T extends Loaded>(entry: Entry<T>): Promise<void> {
  entry.isEvicted = true;
  await releaseUnused(entry);
}

async function releaseUnused<T extends Loaded>(entry: Entry<T>): Promise<void> {
  if (entry.users > 0) return;
  await (await entry.loading).release();
}
