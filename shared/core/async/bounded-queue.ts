import { raceAbort } from './race-abort.ts';

interface Entry<T> {
  readonly item: T;
  /** Settles the `put` that waits for room. */
  settle: ((isTaken: boolean) => void) | undefined;
}

/** A bounded FIFO queue between producers and consumers. No item may be undefined. */
export class BoundedQueue<T> {
  readonly #capacity: number;
  /** The first `capacity` of them are in the queue; the others wait for room. */
  readonly #entries: Entry<T>[] = [];
  readonly #takers = new Set<(item: T | undefined) => void>();
  #end: { readonly error?: unknown } | undefined;

  /** @param capacity items that are held for consumers; 1 or more */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Resolves once there is room for the item.
   *
   * @returns false when the queue is closed: the item stays with the caller
   * @throws the signal's reason when it fires first: the item stays with the caller
   */
  async put(item: T, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.#end) return false;
    const [taker] = this.#takers;
    if (taker !== undefined) {
      this.#takers.delete(taker);
      taker(item);
      return true;
    }
    const entry: Entry<T> = { item, settle: undefined };
    this.#entries.push(entry);
    if (this.#entries.length <= this.#capacity) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    entry.settle = resolve;
    try {
      return await raceAbort(signal, () => promise);
    } catch (error) {
      // Already taken or refused: the abort came too late to matter.
      if (entry.settle === undefined) return await promise;
      this.#entries.splice(this.#entries.indexOf(entry), 1);
      throw error;
    }
  }

  /**
   * @returns the next item; undefined when the queue is closed and empty
   * @throws the error that the queue was closed with, after its last item; the signal's reason
   */
  async take(signal?: AbortSignal): Promise<T | undefined> {
    signal?.throwIfAborted();
    const item = this.#shift();
    if (item !== undefined) return item;
    if (this.#end === undefined) {
      const handed = await this.#waitForItem(signal);
      if (handed !== undefined) return handed;
    }
    if (this.#end && 'error' in this.#end) throw this.#end.error;
    return undefined;
  }

  /** Accepts no more items; those held can still be taken, then `take` throws the error, if there is one. */
  close(end: { readonly error?: unknown } = {}): void {
    if (this.#end) return;
    this.#end = end;
    for (const entry of this.#entries.splice(this.#capacity)) settle(entry, false);
    for (const taker of this.#takers) taker(undefined);
    this.#takers.clear();
  }

  /** Removes and returns the items held. */
  drain(): T[] {
    const items: T[] = [];
    for (let item = this.#shift(); item !== undefined; item = this.#shift()) items.push(item);
    return items;
  }

  #shift(): T | undefined {
    const first = this.#entries.shift();
    const admitted = this.#entries[this.#capacity - 1];
    if (admitted) settle(admitted, true);
    return first?.item;
  }

  async #waitForItem(signal: AbortSignal | undefined): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    this.#takers.add(resolve);
    try {
      return await raceAbort(signal, () => promise);
    } catch (error) {
      // Handed an item in the same turn: dropping it would lose it.
      if (!this.#takers.delete(resolve)) return await promise;
      throw error;
    }
  }
}

function settle<T>(entry: Entry<T>, isTaken: boolean): void {
  entry.settle?.(isTaken);
  entry.settle = undefined;
}
