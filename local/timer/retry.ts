import type { HostContext } from '../host-context.ts';
import type { CoreRetryOptions } from '../worker/core-api.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import type { TypedData } from '../worker/typed-data.ts';

/**
 * Calls a function under its retry policy, with the attempt in `context.retryContext`. Of the triggers here the real
 * host applies such policies to timers only: blobs, queues and Durable have retries of their own.
 *
 * @throws the last attempt's error
 * @see https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages#retry-policies
 */
export async function callWithRetries(
  { dispatch, clock }: Pick<HostContext, 'dispatch' | 'clock'>,
  fn: FunctionEntry,
  trigger: TypedData,
  signal: AbortSignal,
): Promise<void> {
  const maxRetryCount = fn.retry?.maxRetryCount ?? 0;
  let failure: Error | undefined;
  for (let retryCount = 0; ; retryCount++) {
    const retryContext = failure && { retryCount, maxRetryCount, exception: { message: failure.message } };
    try {
      await dispatch(fn, { trigger, metadata: {}, ...(retryContext && { retryContext }) });
      return;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      const isLast = maxRetryCount !== -1 && retryCount >= maxRetryCount;
      if (isLast || signal.aborted) throw failure;
      await clock.sleep(retryDelayMs(fn.retry, retryCount), signal);
    }
  }
}

/** A fixed delay, or one that doubles from the minimum to the maximum interval. */
export function retryDelayMs(retry: CoreRetryOptions | undefined, retryCount: number): number {
  if (retry?.retryStrategy !== 'exponentialBackoff') return (retry?.delayInterval?.seconds ?? 0) * 1000;
  const leastMs = (retry.minimumInterval?.seconds ?? 0) * 1000;
  const mostMs = (retry.maximumInterval?.seconds ?? 0) * 1000;
  return Math.min(mostMs, leastMs * 2 ** retryCount);
}
