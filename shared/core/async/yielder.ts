/** Long enough to cost nothing, short enough for requests that wait meanwhile. */
const defaultSliceMs = 8;

export interface YielderOptions {
  /** How long the event loop may be held. */
  readonly sliceMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/**
 * Lets a long computation yield to the event loop: call it often, and await what it returns.
 *
 * @returns a function that gives undefined while the slice lasts, then a promise that resolves after other work ran
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
