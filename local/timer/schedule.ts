import { AppError } from '../../shared/core/errors.ts';
import { parseTimeSpan } from '../settings/time-span.ts';
import { parseNcrontab, type Schedule } from './ncrontab.ts';

export interface TimerSchedule extends Schedule {
  /** Interval schedules are not adjusted for daylight saving, which makes no difference in UTC. */
  readonly kind: 'cron' | 'interval';
  /** Whether the last run is stored; as in the real host, not for schedules of less than a minute. */
  readonly isMonitored: boolean;
}

/**
 * A timer trigger's `schedule`: NCRONTAB or a TimeSpan.
 *
 * @throws AppError INVALID_ARGUMENT
 * @see https://github.com/Azure/azure-webjobs-sdk-extensions/blob/dev/src/WebJobs.Extensions/Extensions/Timers/Scheduling/TimerSchedule.cs
 */
export function parseSchedule(text: string, useMonitor = true): TimerSchedule {
  if (!text.includes(' ')) {
    const intervalMs = parseTimeSpan(text);
    if (intervalMs === undefined || intervalMs <= 0)
      throw new AppError(
        'INVALID_ARGUMENT',
        `"${text}" is neither a 6-field NCRONTAB expression nor a TimeSpan above zero.`,
      );
    const next = (afterMs: number): number => afterMs + intervalMs;
    return { kind: 'interval', isMonitored: useMonitor && intervalMs >= 60_000, next };
  }
  const schedule = parseNcrontab(text);
  const first = schedule.next(0);
  const isFrequent = schedule.next(first) - first < 60_000;
  return { kind: 'cron', isMonitored: useMonitor && !isFrequent, next: (afterMs) => schedule.next(afterMs) };
}
