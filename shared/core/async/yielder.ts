/** Long enough to cost little, short enough for waiting requests. */
const defaultSliceMs = 8;

export interface YielderOptions {
  /** The longest time between two yields. */
  readonly sliceMs?: number;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/**
 * Lets a long computation yield to the event loop. Call the function often and await its result.
 *
 * @returns a function that returns undefined within the slice, then a promise that resolves after other work ran
 */
export function createYielder({
  sliceMs = defaultSliceMs,
  now = () => performance.now(),
}: YielderOptions = {}): () => Promise<void> | undefined {
  let since = now();
  return () => {
    if (now() - since < sliceMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        since = now();
        resolve();
      });
    });
  };
}
