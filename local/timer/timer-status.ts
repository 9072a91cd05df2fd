import type { DatabaseSync } from 'node:sqlite';
import type { TypedData } from '../worker/typed-data.ts';
import { jsonData } from '../worker/typed-data.ts';
import type { TimerSchedule } from './schedule.ts';

/** A timer's last and next run, in milliseconds since the Unix epoch. */
export interface TimerStatus {
  readonly last: number | undefined;
  readonly next: number;
  readonly lastUpdated: number;
}

export interface TimerStatusStore {
  read(name: string): TimerStatus | undefined;
  write(name: string, status: TimerStatus): void;
}

export function createTimerStatusStore(db: DatabaseSync): TimerStatusStore {
  const select = db.prepare('SELECT last, next, last_updated FROM host_timers WHERE function = ?');
  const upsert = db.prepare(
    'INSERT OR REPLACE INTO host_timers (function, last, next, last_updated) VALUES (?, ?, ?, ?)',
  );
  return {
    read(name) {
      const row = select.get(name) as { last: number | null; next: number; last_updated: number } | undefined;
      return row && { last: row.last ?? undefined, next: row.next, lastUpdated: row.last_updated };
    },
    write: (name, { last, next, lastUpdated }) => void upsert.run(name, last ?? null, next, lastUpdated),
  };
}

/**
 * A timer's status after a start. It is past due when its recorded next run lies in the past. A schedule that changed
 * meanwhile, so that it no longer gives the recorded next run, starts over and is never past due.
 *
 * @see https://github.com/Azure/azure-webjobs-sdk-extensions ScheduleMonitor.CheckPastDueAsync
 */
export function resumeTimer(
  schedule: TimerSchedule,
  recorded: TimerStatus | undefined,
  now: number,
): { readonly status: TimerStatus; readonly isPastDue: boolean } {
  if (!recorded)
    return { status: { last: undefined, next: schedule.next(now), lastUpdated: now }, isPastDue: false };
  const calculatedAt = recorded.last ?? recorded.lastUpdated;
  const expected = schedule.next(calculatedAt);
  if (expected === recorded.next) return { status: recorded, isPastDue: now > recorded.next };
  const isGone = now > expected;
  return {
    status: {
      last: undefined,
      next: isGone ? schedule.next(now) : expected,
      lastUpdated: isGone ? now : calculatedAt,
    },
    isPastDue: false,
  };
}

/** The timer trigger's data: the extension's TimerInfo as Newtonsoft.Json writes it. */
export function toTimerData(schedule: TimerSchedule, status: TimerStatus, isPastDue: boolean): TypedData {
  const { last, next, lastUpdated } = status;
  return jsonData({
    Schedule: { AdjustForDST: schedule.kind === 'cron' },
    ScheduleStatus: schedule.isMonitored
      ? { Last: toOffset(last), LastUpdated: toOffset(lastUpdated), Next: toOffset(next) }
      : null,
    IsPastDue: isPastDue,
  });
}

/** A .NET DateTimeOffset in UTC; the type's default value for undefined. */
function toOffset(time: number | undefined): string {
  return time === undefined
    ? '0001-01-01T00:00:00+00:00'
    : new Date(time).toISOString().replace('.000Z', 'Z').replace('Z', '+00:00');
}
