import { backoffMs } from '../../core/async/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';

const maxAttempts = 50;

export interface RetryDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly ids: Pick<Ids, 'random'>;
}

const backoff = { baseMs: 10, maxMs: 100, jitter: 1 };

/**
 * Retries a read and a conditional write after a jittered delay when another writer came first. Each attempt must read
 * again.
 *
 * @throws RATE_LIMITED after 50 lost races; other errors of the attempt
 */
export async function retryConflicts<T>(
  what: string,
  { clock, ids }: RetryDeps,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let lost = 1; lost <= maxAttempts; lost += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isAppError(error, 'ALREADY_EXISTS')) throw error;
      await clock.sleep(backoffMs(lost, backoff, ids.random()));
    }
  }
  throw new AppError('RATE_LIMITED', `Too many concurrent writers change ${what}.`, { retryAfterMs: 1_000 });
}
