import type { HostContext, HostExtension } from '../host-context.ts';
import { describeError } from '../describe-error.ts';
import { replaceSettings } from '../settings/host-json.ts';
import type { AppSettings } from '../settings/app-settings.ts';
import type { FunctionEntry } from '../worker/function-table.ts';
import { callWithRetries } from './retry.ts';
import { parseSchedule, type TimerSchedule } from './schedule.ts';
import { createTimerStatusStore, resumeTimer, toTimerData, type TimerStatusStore } from './timer-status.ts';

type TimerDeps = Pick<HostContext, 'clock' | 'dispatch' | 'log' | 'settings'>;

/** Timer triggers. */
export const timerExtension = {
  name: 'timer',
  triggerTypes: ['timerTrigger'],
  check({ trigger }: FunctionEntry, settings: AppSettings) {
    const problems: string[] = [];
    const text = replaceSettings(String(trigger['schedule']), settings, problems);
    if (problems.length > 0) return problems;
    try {
      parseSchedule(text);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  },
  start(context: TimerDeps & Pick<HostContext, 'db'>, functions: readonly FunctionEntry[]) {
    const store = createTimerStatusStore(context.db);
    const abort = new AbortController();
    let loops: readonly Promise<void>[] = [];
    return Promise.resolve({
      begin() {
        loops = functions.map((fn) => runTimer(context, store, fn, abort.signal));
      },
      async stop() {
        abort.abort();
        await Promise.all(loops);
      },
    });
  },
} satisfies HostExtension;

/**
 * Runs one timer until the host stops. Runs never overlap: the next time is computed from the start of a run, and a
 * time missed during the run is made up for once, immediately.
 */
async function runTimer(
  context: TimerDeps,
  store: TimerStatusStore,
  fn: FunctionEntry,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = context;
  const schedule = openSchedule(fn, context.settings);
  const recorded = schedule.isMonitored ? store.read(fn.name) : undefined;
  let { status, isPastDue } = resumeTimer(schedule, recorded, clock.now());
  if (schedule.isMonitored) store.write(fn.name, status);
  let isImmediate = isPastDue || fn.trigger['runOnStartup'] === true;

  while (!signal.aborted) {
    if (!isImmediate && !(await sleepUntil(context, status.next, signal))) return;
    const begin = clock.now();
    try {
      await callWithRetries(context, fn, toTimerData(schedule, status, isPastDue), signal);
    } catch (error) {
      log.log('error', 'A timer function failed', { function: fn.name, error: describeError(error) });
    }
    const last = isImmediate ? begin : Math.max(begin, status.next);
    status = { last, next: schedule.next(last), lastUpdated: last };
    if (schedule.isMonitored) store.write(fn.name, status);
    isImmediate = false;
    isPastDue = false;
  }
}

function openSchedule(fn: FunctionEntry, settings: AppSettings): TimerSchedule {
  const text = replaceSettings(String(fn.trigger['schedule']), settings, []);
  return parseSchedule(text, fn.trigger['useMonitor'] !== false);
}

/** @returns false when the host stops meanwhile */
async function sleepUntil({ clock }: TimerDeps, time: number, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const waitMs = time - clock.now();
    if (waitMs <= 0) return true;
    try {
      await clock.sleep(waitMs, signal);
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }
}
