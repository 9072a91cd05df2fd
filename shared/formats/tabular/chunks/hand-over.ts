/**
 * Things handed from one who makes them to one who takes them, a few ahead.
 */
export class HandOver<T> {
  readonly #waiting: T[] = [];
  readonly #capacity: number;
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Resolves once there is room. @returns false when nobody takes any more: the thing was not handed over */
  async put(thing: T): Promise<boolean> {
    while (!this.#end && this.#waiting.length >= this.#capacity) await this.#change();
    if (this.#end) return false;
    this.#waiting.push(thing);
    this.#wake();
    return true;
  }

  /** Nothing follows; with an error, `take` throws it after what is waiting. */
  end(end: { readonly error?: unknown } = {}): void {
    this.#end ??= end;
    this.#wake();
  }

  /** @returns undefined at the end */
  async take(): Promise<T | undefined> {
    while (this.#waiting.length === 0 && !this.#end) await this.#change();
    const thing = this.#waiting.shift();
    this.#wake();
    if (thing === undefined && this.#end && 'error' in this.#end) throw this.#end.error;
    return thing;
  }

  /** @returns what is waiting, although nobody takes it any more; undefined when there is nothing */
  drop(): T | undefined {
    return this.#waiting.shift();
  }

  #change(): Promise<void> {
    const previous = this.#wake;
    return new Promise((resolve) => {
      this.#wake = () => {
        previous();
        resolve();
      };
    });
  }
}
