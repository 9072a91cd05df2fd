/**
 * Starts work and waits until it settles or the signal fires, whichever comes first. For work that does not heed a
 * signal. What the work does after the signal fired is ignored.
 *
 * @param signal without one, this is the work alone; if it has fired already, the work does not start
 * @param toError the error to reject with; the signal's reason when left out
 * @throws what `toError` gives once the signal fires, whatever the work does in the same turn
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
  // Listens before the work can, so that work which rejects on the signal does not win the race.
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([aborted, run()]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
