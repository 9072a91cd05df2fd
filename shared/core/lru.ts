interface Entry<V> {
  readonly value: V;
  readonly cost: number;
}

export interface LruOptions<V> {
  /** What all values may cost together, in a unit of the caller's: entries, bytes. */
  readonly maxCost: number;
  /** Values in use, which are not evicted: they may exceed `maxCost`. None when left out. */
  readonly isPinned?: (value: V) => boolean;
}

const noValues: readonly never[] = [];

/**
 * A cache that evicts the least recently used values once all cost more than `maxCost`. Values that need disposal are
 * the caller's to dispose of: whatever drops values returns them.
 *
 * @example
 * const cache = new Lru({ maxCost: 2 });
 * cache.set('a', 1);
 * cache.set('b', 2);
 * cache.get('a');
 * cache.set('c', 3) // [2]
 */
export class Lru<K, V> {
  readonly #maxCost: number;
  readonly #isPinned: (value: V) => boolean;
  /** The least recently used first: a Map keeps the order of insertion. */
  readonly #entries = new Map<K, Entry<V>>();
  #cost = 0;

  constructor({ maxCost, isPinned = () => false }: LruOptions<V>) {
    this.#maxCost = maxCost;
    this.#isPinned = isPinned;
  }

  /** What all values cost together. */
  get cost(): number {
    return this.#cost;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Makes the value the most recently used. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Leaves the order of use as it is. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /**
   * Puts a value in, as the most recently used. Setting the value that is there already only changes its cost.
   *
   * @param cost a value that alone costs more than `maxCost` is not kept, unless it is pinned
   * @returns the values dropped: the key's earlier one, those evicted, or this one
   */
  set(key: K, value: V, cost = 1): readonly V[] {
    const earlier = this.#entries.get(key);
    this.delete(key);
    const replaced = earlier === undefined || earlier.value === value ? noValues : [earlier.value];
    if (cost > this.#maxCost && !this.#isPinned(value)) return [...replaced, value];
    this.#entries.set(key, { value, cost });
    this.#cost += cost;
    const evicted = this.makeRoom();
    return replaced.length === 0 ? evicted : [...replaced, ...evicted];
  }

  /** @returns the value, unless the key has none */
  delete(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#cost -= entry.cost;
    return entry.value;
  }

  /**
   * Evicts until values of `cost` more would fit, as far as pins allow: after a value was unpinned, or before one
   * comes in. Infinity evicts everything that is not pinned.
   *
   * @returns the values evicted
   */
  makeRoom(cost = 0): readonly V[] {
    if (this.#cost + cost <= this.#maxCost) return noValues;
    const evicted: V[] = [];
    for (const [key, { value }] of this.#entries) {
      if (this.#cost + cost <= this.#maxCost) break;
      if (this.#isPinned(value)) continue;
      this.delete(key);
      evicted.push(value);
    }
    return evicted;
  }

  /** The least recently used first. While it runs, values may be deleted, but `get` must not be called. */
  *entries(): Generator<readonly [K, V]> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }
}
