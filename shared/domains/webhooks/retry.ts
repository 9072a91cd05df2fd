import { backoffMs } from '../../core/async/backoff.ts';
import type { SendOutcome } from './send.ts';

export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number }
  | { readonly kind: 'giveUp'; readonly reason: string };

const maxDelayMs = 60 * 60_000;
const backoff = { baseMs: 1_000, factor: 4, maxMs: maxDelayMs, jitter: 0.25 };

/** Statuses that say "later"; any other 4xx says "never", and a redirect is not followed. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * What follows from an attempt: 2xx is delivered; what may pass is tried again after 1, 4, 16 … seconds, an hour at
 * most, or when the receiver says.
 *
 * @param attempt 1 is the first
 * @param random in [0, 1): spreads attempts that failed together over ±25 %
 */
export function judge(
  outcome: SendOutcome,
  { attempt, maxAttempts, random }: { attempt: number; maxAttempts: number; random: number },
): Verdict {
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300)
    return { kind: 'delivered' };
  const reason = outcome.kind === 'answered' ? describeStatus(outcome.status) : outcome.reason;
  const canPass =
    outcome.kind === 'failed' ||
    (outcome.kind === 'answered' && (passing.has(outcome.status) || outcome.status >= 520));
  if (!canPass) return { kind: 'giveUp', reason };
  if (attempt >= maxAttempts) return { kind: 'giveUp', reason: `${reason}, after ${attempt} attempts` };
  const delayMs = backoffMs(attempt, backoff, random);
  const askedMs = outcome.kind === 'answered' ? (outcome.retryAfterMs ?? 0) : 0;
  return { kind: 'retry', reason, afterMs: Math.round(Math.min(maxDelayMs, Math.max(delayMs, askedMs))) };
}

function describeStatus(status: number): string {
  if (status >= 300 && status < 400) return `the receiver answered ${status}: redirects are not followed`;
  return `the receiver answered ${status}`;
}
