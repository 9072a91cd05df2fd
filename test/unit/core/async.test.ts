import { getEventListeners } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { backoffMs } from '../../../shared/core/async/backoff.ts';
import { BoundedQueue } from '../../../shared/core/async/bounded-queue.ts';
import { forEachSettled } from '../../../shared/core/async/for-each-settled.ts';
import { mapConcurrent } from '../../../shared/core/async/map-concurrent.ts';
import { raceAbort } from '../../../shared/core/async/race-abort.ts';
import { Semaphore } from '../../../shared/core/async/semaphore.ts';
import { withTimeout } from '../../../shared/core/async/with-timeout.ts';
import { createCountingYielder, createYielder } from '../../../shared/core/async/yielder.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { passTurns } from '../../support/turns.ts';

afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<never>(() => undefined);
const late = (timeoutMs: number) => new AppError('TIMEOUT', `late after ${timeoutMs} ms`);

test('work that rejects on its abort signal does not replace the timeout error', async () => {
  const work = withTimeout(
    { timeoutMs: 1, toError: late },
    (signal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('the work gave up'))),
      ),
  );
  await expect(work).rejects.toThrow('late after 1 ms');
});

test('work that aborts its own caller and throws leaves no unhandled rejection', async () => {
  const caller = new AbortController();
  const unhandled = vi.fn<(reason: unknown) => void>();
  process.once('unhandledRejection', unhandled);
  const work = raceAbort(caller.signal, () => {
    caller.abort(new Error('stopped'));
    throw new Error('thrown at once');
  });
  await expect(work).rejects.toThrow('thrown at once');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test('the signal of finished work still fires with its caller, and never by the timeout', async () => {
  vi.useFakeTimers();
  const caller = new AbortController();
  const limit = { timeoutMs: 10, toError: late, signal: caller.signal };
  const opened = await withTimeout(limit, async (signal) => signal);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(opened.aborted).toBe(false);
  caller.abort(new Error('the reader left'));
  expect(opened.reason).toMatchObject({ message: 'the reader left' });
});

test('a timeout of Infinity sets no timer', async () => {
  vi.useFakeTimers();
  void withTimeout({ timeoutMs: Infinity, toError: late }, never);
  expect(vi.getTimerCount()).toBe(0);
});

test('work does not start under a signal that has fired', async () => {
  const run = vi.fn<() => Promise<void>>();
  const signal = AbortSignal.abort(new Error('too late'));
  await expect(withTimeout({ timeoutMs: 10, toError: late, signal }, run)).rejects.toThrow('too late');
  await expect(raceAbort(signal, run)).rejects.toThrow('too late');
  expect(run).not.toHaveBeenCalled();
});

test('a sleep longer than the longest timer of Node.js lasts its full time', async () => {
  vi.useFakeTimers();
  const ms = 2 ** 31 * 2 + 5;
  let isOver = false;
  void systemClock.sleep(ms).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isOver).toBe(true);
});

test('a sleep that ended or was aborted leaves neither a timer nor a listener', async () => {
  vi.useFakeTimers();
  const abort = new AbortController();
  const short = systemClock.sleep(1, abort.signal);
  await vi.advanceTimersByTimeAsync(1);
  await short;
  expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  const sleep = systemClock.sleep(1_000, abort.signal);
  abort.abort(new Error('awake'));
  await expect(sleep).rejects.toThrow('awake');
  expect([vi.getTimerCount(), getEventListeners(abort.signal, 'abort')]).toEqual([0, []]);
});

test('the semaphore refuses callers beyond those that may wait, with a time to retry', async () => {
  const semaphore = new Semaphore(1, 1);
  using _held = await semaphore.acquire();
  void semaphore.acquire();
  await expect(semaphore.acquire()).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    details: { retryAfterMs: 1_000 },
  });
});

test('disposing of a permit twice releases it once', async () => {
  const semaphore = new Semaphore(1, 0);
  const permit = await semaphore.acquire();
  permit[Symbol.dispose]();
  permit[Symbol.dispose]();
  await semaphore.acquire();
  await expect(semaphore.acquire()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
});

test('an item taken in the turn of its abort counts as put, and drops no other', async () => {
  const queue = new BoundedQueue<string>(1);
  const abort = new AbortController();
  const puts = [queue.put('first'), queue.put('second', abort.signal), queue.put('third')];
  abort.abort();
  const taken = [queue.take(), queue.take(), queue.take()];
  expect(await Promise.all(puts)).toEqual([true, true, true]);
  expect(await Promise.all(taken)).toEqual(['first', 'second', 'third']);
});

test('a yielder yields once its slice is over, and starts the next slice after other work ran', async () => {
  let now = 0;
  const yieldIfDue = createYielder({ sliceMs: 8, now: () => now });
  now = 7;
  expect(yieldIfDue()).toBeUndefined();
  now = 8;
  let hasRun = false;
  setImmediate(() => {
    hasRun = true;
    now = 100;
  });
  await yieldIfDue();
  expect(hasRun).toBe(true);
  now = 107;
  expect(yieldIfDue()).toBeUndefined();
});

test('a counting yielder yields after its units of work, and counts from zero again', async () => {
  const yieldIfDue = createCountingYielder(10);
  for (let round = 0; round < 3; round += 1) {
    expect(yieldIfDue(9)).toBeUndefined();
    let hasRun = false;
    setImmediate(() => {
      hasRun = true;
    });
    await yieldIfDue(25);
    expect(hasRun).toBe(true);
  }
});

test('forEachSettled continues after failures and throws the first retryable error', async () => {
  const done: number[] = [];
  const refused: number[] = [];
  const work = forEachSettled(
    [1, 2, 3, 4],
    async (item) => {
      if (item === 1) throw new AppError('INVALID_ARGUMENT', 'wrong');
      if (item === 2) throw new AppError('UNAVAILABLE', 'down');
      if (item === 3) throw new Error('a defect, perhaps');
      done.push(item);
    },
    (item) => void refused.push(item),
  );
  await expect(work).rejects.toThrow('down');
  expect([done, refused]).toEqual([[4], [1]]);
});

test('mapConcurrent stops reading after a failure and throws it once the calls in flight have settled', async () => {
  const read: number[] = [];
  let inFlight = 0;
  const items = (function* () {
    for (let item = 0; item < 10; item += 1) {
      read.push(item);
      yield item;
    }
  })();
  const mapped = mapConcurrent(items, 3, async (item) => {
    inFlight += 1;
    await passTurns(item === 0 ? 1 : 10);
    inFlight -= 1;
    if (item === 0) throw new Error('the first failed');
    return item;
  });
  await expect(Array.fromAsync(mapped)).rejects.toThrow('the first failed');
  expect([read, inFlight]).toEqual([[0, 1, 2], 0]);
});

test.each([
  { failures: 1, random: 0.5, expected: 100 },
  { failures: 4, random: 0.5, expected: 800 },
  { failures: 4, random: 0, expected: 400 },
  { failures: 4, random: 1, expected: 1_200 },
  { failures: 2_000, random: 0, expected: 5_000 },
])(
  'the delay after $failures failures at random $random is $expected ms',
  ({ failures, random, expected }) => {
    expect(backoffMs(failures, { baseMs: 100, maxMs: 10_000, jitter: 0.5 }, random)).toBe(expected);
  },
);
