import type { Clock } from '../../core/clock.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';

const maxAttempts = 50;

export interface Pace {
  readonly clock: Clock;
  readonly ids: Ids;
}

/**
 * Read, decide, write under an ETag: repeated when somebody else wrote first, after a little while that differs
 * between racers. The attempt must read anew each time.
 *
 * @throws RATE_LIMITED after 50 lost races; whatever else the attempt throws
 */
export async function retryConflicts<T>(what: string, pace: Pace, attempt: () => Promise<T>): Promise<T> {
  for (let lost = 1; lost <= maxAttempts; lost += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isAppError(error, 'PRECONDITION_FAILED') && !isAppError(error, 'ALREADY_EXISTS')) throw error;
      await pace.clock.sleep(pace.ids.random() * 20 * Math.min(lost, 10));
    }
  }
  throw new AppError('RATE_LIMITED', `Too many writers change ${what} at once.`, { retryAfterMs: 1_000 });
}
