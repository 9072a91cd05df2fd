import { AppError } from '../../core/errors.ts';

/** Something loaded from a model's bytes that must be released. */
export interface Loaded {
  /** Of the model's bytes; what the runtime holds is of the same order. */
  readonly sizeBytes: number;
  release(): Promise<void>;
}

interface Entry<T> {
  readonly loading: Promise<T>;
  readonly usage: { users: number; sizeBytes: number; isEvicted: boolean };
}

/**
 * Loaded models by the hash of their bytes, the least recently used released first once their bytes exceed the
 * bound. One in use is released when its last user is done. Those who ask for a model that is being loaded wait
 * for that one load; a failed load is forgotten.
 */
export class SessionCache<T extends Loaded> {
  readonly #maxBytes: number;
  /** In order of last use: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Entry<T>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /**
   * Lends the model to `work`, loading it if need be.
   *
   * @throws whatever `load` and `work` throw; AppError UNPROCESSABLE for a model that alone exceeds the bound.
   */
  async use<R>(key: string, load: () => Promise<T>, work: (loaded: T) => Promise<R>): Promise<R> {
    const entry = this.#entries.get(key) ?? this.#add(key, load);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.usage.users += 1;
    try {
      return await work(await this.#settle(key, entry));
    } finally {
      entry.usage.users -= 1;
      if (entry.usage.isEvicted) await releaseUnused(entry);
    }
  }

  /** Releases everything that is not in use, and the rest when its users are done. */
  async clear(): Promise<void> {
    for (const key of this.#entries.keys()) await this.#evict(key);
  }

  #add(key: string, load: () => Promise<T>): Entry<T> {
    const usage: Entry<T>['usage'] = { users: 0, sizeBytes: 0, isEvicted: false };
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
      if (!usage.isEvicted) {
        usage.sizeBytes = sizeBytes;
        this.#bytes += sizeBytes;
        await this.#makeRoom(key);
      }
      return loaded;
    };
    return { loading: loadChecked(), usage };
  }

  async #settle(key: string, entry: Entry<T>): Promise<T> {
    try {
      return await entry.loading;
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      entry.usage.isEvicted = false;
      throw error;
    }
  }

  async #makeRoom(newest: string): Promise<void> {
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      if (key !== newest) await this.#evict(key);
    }
  }

  async #evict(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.usage.sizeBytes;
    entry.usage.isEvicted = true;
    await releaseUnused(entry);
  }
}

async function releaseUnused<T extends Loaded>(entry: Entry<T>): Promise<void> {
  if (entry.usage.users > 0) return;
  await (await entry.loading).release();
}
