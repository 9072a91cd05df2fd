import { raceAbort } from './race-abort.ts';

interface Entry<T> {
  readonly item: T;
  /** Settles the `put` that waits for room. */
  settle: ((isTaken: boolean) => void) | undefined;
}

/** A bounded FIFO queue between producers and consumers. No item may be undefined. */
export class BoundedQueue<T> {
  readonly #capacity: number;
  /** The first `capacity` entries are queued; the others wait for room. */
  readonly #entries: Entry<T>[] = [];
  readonly #takers = new Set<(item: T | undefined) => void>();
  #end: { readonly error?: unknown } | undefined;

  /** @param capacity the number of queued items; 1 or more */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Resolves once there is room for the item.
   *
   * @returns false when the queue is closed; the caller keeps the item
   * @throws the signal's reason when it fires first; the caller keeps the item
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
      // Already taken or refused: the abort came too late.
      if (entry.settle === undefined) return await promise;
      this.#entries.splice(this.#entries.indexOf(entry), 1);
      throw error;
    }
  }

  /**
   * @returns the next item; undefined when the queue is closed and empty
   * @throws the error that closed the queue, after the last item; the signal's reason
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

  /** Closes the queue. Queued items can still be taken; then `take` throws the error, if any. */
  close(end: { readonly error?: unknown } = {}): void {
    if (this.#end) return;
    this.#end = end;
    for (const entry of this.#entries.splice(this.#capacity)) settle(entry, false);
    for (const taker of this.#takers) taker(undefined);
    this.#takers.clear();
  }

  /** Removes and returns the queued items. */
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
      // It received an item in the same turn: return it, so that it is not lost.
      if (!this.#takers.delete(resolve)) return await promise;
      throw error;
    }
  }
}

function settle<T>(entry: Entry<T>, isTaken: boolean): void {
  entry.settle?.(isTaken);
  entry.settle = undefined;
}
