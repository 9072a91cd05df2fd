/**
 * Not every step of the SDKs heeds its signal: asking for a token does not, nor does opening an AMQP link on a silent
 * service. This ends with the signal whatever the promise does.
 *
 * @throws the signal's reason once it fires
 */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
