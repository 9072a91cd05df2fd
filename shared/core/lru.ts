interface Entry<V> {
  readonly value: V;
  readonly cost: number;
}

export interface LruOptions<V> {
  /** The maximum total cost, in the caller's unit: entries, bytes. */
  readonly maxCost: number;
  /** Pinned values are not evicted and can exceed `maxCost`. Default: none. */
  readonly isPinned?: (value: V) => boolean;
}

const noValues: readonly never[] = [];

/**
 * A cache that evicts the least recently used values when the total cost exceeds `maxCost`. Methods return the values
 * that they drop, so that the caller can dispose of them.
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
  /** The least recently used first, because a Map keeps the order of insertion. */
  readonly #entries = new Map<K, Entry<V>>();
  #cost = 0;

  constructor({ maxCost, isPinned = () => false }: LruOptions<V>) {
    this.#maxCost = maxCost;
    this.#isPinned = isPinned;
  }

  /** The total cost. */
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

  /** Reads a value without marking it as used. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /**
   * Sets a value and marks it as used. Setting the current value again only changes its cost.
   *
   * @param cost a value that costs more than `maxCost` is dropped, unless it is pinned
   * @returns the dropped values: the key's earlier value, evicted values, or this value
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

  /** @returns the deleted value */
  delete(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#cost -= entry.cost;
    return entry.value;
  }

  /**
   * Evicts unpinned values until `cost` more fits. Call it after unpinning a value. Infinity evicts all unpinned
   * values.
   *
   * @returns the evicted values
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

  /** Iterates from the least recently used. The loop may delete values but must not call `get`. */
  *entries(): Generator<readonly [K, V]> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }
}
