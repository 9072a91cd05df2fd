/**
 * Runs work that ignores signals, and rejects when the signal fires first. The work's later result is ignored.
 *
 * @param signal undefined runs the work without a race; an aborted signal rejects without starting it
 * @param toError creates the rejection; default: the signal's reason
 * @throws the error of `toError` once the signal fires, even if the work settles in the same turn
 */
export async function raceAbort<T>(
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
  toError: (signal: AbortSignal) => unknown = (fired) => fired.reason,
): Promise<T> {
  if (signal === undefined) return await run();
  if (signal.aborted) throw toError(signal);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  // `run` may fire the signal and then throw before anything waits for this promise.
  aborted.catch(() => undefined);
  const onAbort = () => reject(toError(signal));
  // Listen first, so that work which rejects on the signal does not win the race.
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([aborted, run()]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
