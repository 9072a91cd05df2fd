import type { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../shared/core/logger.ts';
import type { FunctionCall } from '../../local/host-context.ts';
import { openHostStore } from '../../local/store.ts';
import { timerExtension } from '../../local/timer/extension.ts';
import { parseNcrontab } from '../../local/timer/ncrontab.ts';
import { retryDelayMs } from '../../local/timer/retry.ts';
import { parseSchedule } from '../../local/timer/schedule.ts';
import type { FunctionEntry } from '../../local/worker/function-table.ts';
import { ManualClock } from '../support/manual-clock.ts';

const at = (text: string): number => Date.parse(text);

describe('trap 18: NCRONTAB, six fields, in UTC', () => {
  test.each([
    // Each line: expression, after, next. The first five are the examples of the Functions documentation.
    ['0 */5 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'],
    ['0 0 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'],
    ['0 0 9-17 * * *', '2026-01-01T17:00:00Z', '2026-01-02T09:00:00Z'],
    ['0 30 9 * * 1-5', '2026-01-02T09:30:00Z', '2026-01-05T09:30:00Z'],
    ['0 30 9 * Jan Mon', '2026-01-26T09:30:00Z', '2027-01-04T09:30:00Z'],
    ['5,8,10 * * * * *', '2026-01-01T00:00:08Z', '2026-01-01T00:00:10Z'],
    ['0 0 0 29 2 *', '2026-03-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 5/20 * * * *', '2026-01-01T00:30:00Z', '2026-01-01T00:45:00Z'],
    ['0 0 12 13 * FRI', '2026-04-01T00:00:00Z', '2026-11-13T12:00:00Z'],
    ['0 0 0 * december-october *', '2026-09-30T00:00:00Z', '2026-10-01T00:00:00Z'],
    ['*/15 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:15:00Z'],
    ['* * * * * *', '2026-12-31T23:59:59.500Z', '2027-01-01T00:00:00Z'],
  ])('%s after %s is %s', (expression, after, next) => {
    expect(new Date(parseNcrontab(expression).next(at(after))).toISOString().replace('.000', '')).toBe(next);
  });

  test.each([
    '',
    '* * * *',
    '60 * * * * *',
    '* * * 0 * *',
    '* * * * * 7',
    '* * * * FOO *',
    '*/0 * * * * *',
    '1-2-3 * * * * *',
    '0 0 0 30 2 *',
    '*/1/1 * * * * *',
  ])('"%s" is refused', (expression) => {
    expect(() => parseNcrontab(expression)).toThrow(/schedule/i);
  });

  test('the next time is the first second that matches all fields, as a linear search finds it', () => {
    const field = (min: number, max: number) =>
      fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 12 }).map((values) => values.join(','));
    const hourOnward = at('2026-05-05T00:00:00Z');
    fc.assert(
      fc.property(
        field(0, 59),
        field(0, 59),
        field(0, 23),
        fc.nat(86_399),
        (seconds, minutes, hours, offset) => {
          const fits = (list: string, value: number): boolean => list.split(',').map(Number).includes(value);
          const after = hourOnward + offset * 1000;
          let expected = after + 1000;
          for (; ; expected += 1000) {
            const date = new Date(expected);
            if (!fits(hours, date.getUTCHours())) expected += 3_600_000 - (expected % 3_600_000) - 1000;
            else if (fits(minutes, date.getUTCMinutes()) && fits(seconds, date.getUTCSeconds())) break;
          }
          expect(parseNcrontab(`${seconds} ${minutes} ${hours} * * *`).next(after)).toBe(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a TimeSpan is an interval; 24 hours must be written as a day', () => {
    expect(parseSchedule('00:00:30').next(1000)).toBe(31_000);
    expect(parseSchedule('1.02:00:00').next(0)).toBe(26 * 3_600_000);
    expect(() => parseSchedule('24:00:00')).toThrow(/TimeSpan/);
    expect(() => parseSchedule('00:00:00')).toThrow(/TimeSpan/);
  });

  test('a schedule of less than a minute is not monitored', () => {
    expect([parseSchedule('*/30 * * * * *'), parseSchedule('00:00:59')].map((s) => s.isMonitored)).toEqual([
      false,
      false,
    ]);
    expect([parseSchedule('0 * * * * *'), parseSchedule('00:01:00')].map((s) => s.isMonitored)).toEqual([
      true,
      true,
    ]);
    expect(parseSchedule('0 * * * * *', false).isMonitored).toBe(false);
  });
});

interface TimerFacts {
  readonly IsPastDue: boolean;
  readonly ScheduleStatus: {
    readonly Last: string;
    readonly Next: string;
    readonly LastUpdated: string;
  } | null;
}

/** One timer function on a manual clock. */
async function startTimer(options: {
  readonly db?: DatabaseSync;
  readonly clock: ManualClock;
  readonly trigger?: object;
  readonly retry?: FunctionEntry['retry'];
  readonly run?: (call: FunctionCall) => Promise<void>;
}) {
  const calls: {
    readonly at: string;
    readonly timer: TimerFacts;
    readonly retryCount: number | undefined;
  }[] = [];
  const { clock, db = openHostStore(':memory:') } = options;
  const fn = {
    name: 'timer',
    trigger: {
      name: 't',
      type: 'timerTrigger',
      direction: 'in',
      schedule: '0 0 * * * *',
      ...options.trigger,
    },
    inputs: [],
    outputs: [],
    ...(options.retry && { retry: options.retry }),
  } as const satisfies FunctionEntry;
  const context = {
    clock,
    db,
    log: silentLogger,
    settings: {},
    async dispatch(_: FunctionEntry, call: FunctionCall) {
      const timer = JSON.parse(call.trigger.json!) as TimerFacts;
      calls.push({
        at: new Date(clock.now()).toISOString(),
        timer,
        retryCount: call.retryContext?.retryCount,
      });
      await options.run?.(call);
      return undefined;
    },
  };
  const running = await timerExtension.start(context, [fn]);
  running.begin();
  await flush();
  return { calls, db, stop: () => running.stop() };
}

const flush = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const move = async (clock: ManualClock, ms: number): Promise<void> => {
  clock.advance(ms);
  await flush();
};
const hourMs = 3_600_000;
const begin = at('2026-01-01T00:30:00Z');

describe('trap 18: runs', () => {
  test('on time, with the last and the next run', async () => {
    const clock = new ManualClock(begin);
    const timer = await startTimer({ clock });
    await move(clock, hourMs / 2);
    await move(clock, hourMs);
    await timer.stop();
    expect(timer.calls.map(({ at: time, timer: { IsPastDue } }) => [time, IsPastDue])).toEqual([
      ['2026-01-01T01:00:00.000Z', false],
      ['2026-01-01T02:00:00.000Z', false],
    ]);
    expect(timer.calls[1]!.timer.ScheduleStatus).toEqual({
      Last: '2026-01-01T01:00:00+00:00',
      LastUpdated: '2026-01-01T01:00:00+00:00',
      Next: '2026-01-01T02:00:00+00:00',
    });
  });

  test('a run missed while the host was down is past due once at the next start', async () => {
    const clock = new ManualClock(begin);
    const first = await startTimer({ clock });
    await move(clock, hourMs / 2);
    await first.stop();
    clock.advance(3 * hourMs + 60_000);
    const second = await startTimer({ clock, db: first.db });
    await second.stop();
    expect(second.calls.map(({ timer }) => timer.IsPastDue)).toEqual([true]);
    const third = await startTimer({ clock, db: first.db });
    await move(clock, hourMs);
    await third.stop();
    expect(third.calls.map(({ at: time, timer }) => [time, timer.IsPastDue])).toEqual([
      ['2026-01-01T05:01:00.000Z', false],
    ]);
  });

  test('a first start, a quick restart and a changed schedule are not past due', async () => {
    const clock = new ManualClock(begin);
    const first = await startTimer({ clock });
    await first.stop();
    clock.advance(60_000);
    const second = await startTimer({ clock, db: first.db });
    await second.stop();
    clock.advance(24 * hourMs);
    const changed = await startTimer({ clock, db: first.db, trigger: { schedule: '0 15 * * * *' } });
    await changed.stop();
    expect([...first.calls, ...second.calls, ...changed.calls]).toEqual([]);
  });

  test('runs never overlap; times missed during a long run cause one late run', async () => {
    const clock = new ManualClock(begin);
    let finish = (): void => {};
    let active = 0;
    let most = 0;
    const timer = await startTimer({
      clock,
      async run() {
        most = Math.max(most, ++active);
        await new Promise<void>((resolve) => (finish = resolve));
        active -= 1;
      },
    });
    await move(clock, hourMs / 2);
    await move(clock, 5 * hourMs);
    expect(timer.calls).toHaveLength(1);
    finish();
    await flush();
    expect(timer.calls.map(({ at: time }) => time)).toEqual([
      '2026-01-01T01:00:00.000Z',
      '2026-01-01T06:00:00.000Z',
    ]);
    const stopping = timer.stop();
    finish();
    await stopping;
    expect(most).toBe(1);
  });

  test('runOnStartup runs at the start, and is not past due', async () => {
    const clock = new ManualClock(begin);
    const timer = await startTimer({ clock, trigger: { runOnStartup: true } });
    await timer.stop();
    expect(timer.calls.map(({ timer: { IsPastDue } }) => IsPastDue)).toEqual([false]);
  });

  test('a failing run is retried by its policy and does not end the schedule', async () => {
    const clock = new ManualClock(begin);
    const retry = { retryStrategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { seconds: 10 } } as const;
    const timer = await startTimer({ clock, retry, run: () => Promise.reject(new Error('no')) });
    await move(clock, hourMs / 2);
    await move(clock, 10_000);
    await move(clock, 10_000);
    await move(clock, hourMs);
    await timer.stop();
    expect(timer.calls.map(({ retryCount }) => retryCount)).toEqual([undefined, 1, 2, undefined]);
    expect(
      retryDelayMs(
        {
          retryStrategy: 'exponentialBackoff',
          minimumInterval: { seconds: 1 },
          maximumInterval: { seconds: 5 },
        },
        9,
      ),
    ).toBe(5000);
  });
});
