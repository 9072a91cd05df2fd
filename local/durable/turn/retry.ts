import type { RetryPolicy } from '../model.ts';

/**
 * The delay after a failed attempt: first * backoff^attemptIndex, at most the longest interval; 0 after the retry
 * timeout, which ends the task without a timer (trap 3: the SDK then waits forever).
 *
 * @param attemptIndex zero for the first attempt
 * @param elapsedMs since the first attempt was scheduled
 * @see https://github.com/Azure/durabletask RetryInterceptor.ComputeNextDelay
 */
export function nextRetryDelayMs(retry: RetryPolicy, attemptIndex: number, elapsedMs: number): number {
  if (elapsedMs >= retry.timeoutMs) return 0;
  const delayMs = retry.firstIntervalMs * retry.backoffCoefficient ** attemptIndex;
  return Math.ceil(Math.min(delayMs, retry.maxIntervalMs));
}
