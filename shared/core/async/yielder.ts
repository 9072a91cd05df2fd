import { setImmediate } from 'node:timers/promises';

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
  const startSlice = async () => {
    await yieldToEventLoop();
    since = now();
  };
  return () => (now() - since < sliceMs ? undefined : startSlice());
}

/**
 * As `createYielder`, for work of known cost: counts units of work instead of reading a clock.
 *
 * @param unitsPerTurn the units between two yields: some milliseconds of work
 * @returns a function that takes the units done since its last call
 */
export function createCountingYielder(unitsPerTurn: number): (units: number) => Promise<void> | undefined {
  let units = 0;
  return (done) => {
    units += done;
    if (units < unitsPerTurn) return undefined;
    units = 0;
    return yieldToEventLoop();
  };
}

/** Resolves after other work of the event loop ran. */
export async function yieldToEventLoop(): Promise<void> {
  await setImmediate();
}
