import { capacityOf, createWindow, type Window } from './window.ts';

/** Reads the bytes of an iterable in portions of any size. */
export class ByteReader {
  /** The number of bytes read so far. */
  position = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #ahead: Promise<IteratorResult<Uint8Array, unknown>> | undefined;
  #hasEnded = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Fills a window up to a length, or to the end of the source, and prefetches the next bytes. */
  async fill(window: Window, length: number): Promise<void> {
    while (window.to < length && (await this.#hasMore())) {
      const bytes = this.#rest.subarray(0, length - window.to);
      window.bytes.set(bytes, window.to);
      window.to += bytes.length;
      this.#drop(bytes.length);
    }
    window.isLast = window.to < length;
    if (this.#rest.length === 0 && !this.#hasEnded && !this.#ahead) {
      this.#ahead = this.#source.next();
      // A failure is thrown when these bytes are read.
      this.#ahead.catch(() => undefined);
    }
  }

  /** The next bytes, which stay unread; fewer only at the end. */
  async peek(length: number): Promise<Uint8Array> {
    const pieces = [this.#rest];
    for (let known = this.#rest.length; known < length;) {
      const { done, value } = await this.#next();
      if (done) break;
      pieces.push(value);
      known += value.length;
    }
    if (pieces.length > 1) this.#rest = Buffer.concat(pieces);
    return this.#rest.subarray(0, length);
  }

  /** The next bytes in pieces, up to a total length. */
  async *take(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0 && (await this.#hasMore());) {
      const bytes = this.#rest.subarray(0, left);
      this.#drop(bytes.length);
      left -= bytes.length;
      yield bytes;
    }
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    this.#hasEnded = true;
    await this.#source.return?.();
  }

  async #hasMore(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#next();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#hasEnded) return { done: true, value: undefined };
    const next = this.#ahead ?? this.#source.next();
    this.#ahead = undefined;
    const result = (await next) as IteratorResult<Uint8Array, undefined>;
    if (result.done) this.#hasEnded = true;
    return result;
  }

  #drop(length: number): void {
    this.#rest = this.#rest.subarray(length);
    this.position += length;
  }
}

/**
 * A window of `length` bytes that starts with what is left of another one. Reuses `spare` if its size is suitable.
 */
export function carryOver(from: Window, spare: Window | undefined, length: number): Window {
  const room = spare === undefined ? 0 : capacityOf(spare);
  const window = spare === undefined || room < length || room > length * 4 ? createWindow(length) : spare;
  window.bytes.set(from.bytes.subarray(from.from, from.to));
  window.from = 0;
  window.to = from.to - from.from;
  window.isLast = from.isLast;
  return window;
}
