import { backoffMs } from '../../core/async/backoff.ts';
import type { SendOutcome } from './sending/send.ts';

export type RetryDecision =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number }
  | { readonly kind: 'giveUp'; readonly reason: string };

const maxDelayMs = 60 * 60_000;
const backoff = { baseMs: 1_000, factor: 4, maxMs: maxDelayMs, jitter: 0.25 };

/** Transient statuses, beside those from 520 on. Any other 4xx is final, and redirects are not followed. */
const transientStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Decides what follows an attempt. 2xx is delivered; transient failures are retried after 1, 4, 16 … seconds or the
 * receiver's `Retry-After`, whichever is longer, and at most an hour.
 *
 * @param attempt 1 is the first
 * @param random in [0, 1): spreads attempts that failed together over ±25 %
 */
export function decideRetry(
  outcome: SendOutcome,
  { attempt, maxAttempts, random }: { attempt: number; maxAttempts: number; random: number },
): RetryDecision {
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300)
    return { kind: 'delivered' };
  const reason = outcome.kind === 'answered' ? describeStatus(outcome.status) : outcome.reason;
  const isTransient =
    outcome.kind === 'failed' ||
    (outcome.kind === 'answered' && (transientStatuses.has(outcome.status) || outcome.status >= 520));
  if (!isTransient) return { kind: 'giveUp', reason };
  if (attempt >= maxAttempts) return { kind: 'giveUp', reason: `${reason}, after ${attempt} attempts` };
  const delayMs = backoffMs(attempt, backoff, random);
  const requestedMs = outcome.kind === 'answered' ? (outcome.retryAfterMs ?? 0) : 0;
  return {
    kind: 'retry',
    reason,
    afterMs: Math.round(Math.min(maxDelayMs, Math.max(delayMs, requestedMs))),
  };
}

function describeStatus(status: number): string {
  if (status >= 300 && status < 400) return `the receiver answered ${status}: redirects are not followed`;
  return `the receiver answered ${status}`;
}
