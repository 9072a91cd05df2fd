import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { BoundedQueue } from '../../shared/core/async/bounded-queue.ts';
import { mapConcurrent } from '../../shared/core/async/map-concurrent.ts';
import { Semaphore } from '../../shared/core/async/semaphore.ts';
import { type WorkTimer, withTimeout } from '../../shared/core/async/with-timeout.ts';
import { isAppError } from '../../shared/core/errors.ts';

// Each property runs a script of steps against the implementation and against a plain model. Microtasks run between two
// steps only at a `flush` step, so that steps of one turn race.

afterEach(() => {
  vi.useRealTimers();
});

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const listeners = (abort: AbortController) => getEventListeners(abort.signal, 'abort').length;
const aborted = new Error('aborted by the test');

interface Settling {
  outcome?: unknown;
}

const place = fc.nat(30);

test('a semaphore grants its permits in the order of the calls, and never more than it has', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: 'acquire' } as const) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), of: place }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), of: place }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'flush' } as const) },
  );
  type State = 'waiting' | 'holding' | 'released' | 'cancelled' | 'refused';
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(4),
      fc.array(step),
      async (permits, room, steps) => {
        const semaphore = new Semaphore(permits, room);
        const model: State[] = [];
        const aborts: AbortController[] = [];
        const calls: Promise<Disposable>[] = [];
        const count = (state: State) => model.filter((one) => one === state).length;
        const outcomes = () =>
          Promise.all(
            calls.map(async (call): Promise<State> => {
              const outcome = await Promise.race([call, settled()]).catch((error: unknown) => error);
              if (outcome === undefined) return 'waiting';
              if (isAppError(outcome, 'CANCELLED')) return 'cancelled';
              if (isAppError(outcome, 'RATE_LIMITED')) return 'refused';
              return 'holding';
            }),
          );
        for (const one of steps) {
          switch (one.kind) {
            case 'acquire': {
              const abort = new AbortController();
              aborts.push(abort);
              calls.push(semaphore.acquire(abort.signal));
              calls.at(-1)?.catch(() => undefined);
              const state =
                count('holding') < permits ? 'holding' : count('waiting') < room ? 'waiting' : 'refused';
              model.push(state);
              break;
            }
            case 'release': {
              await settled();
              const index = one.of % Math.max(1, model.length);
              if (model[index] !== 'holding') break;
              (await calls[index])?.[Symbol.dispose]();
              model[index] = 'released';
              const next = model.indexOf('waiting');
              if (next >= 0) model[next] = 'holding';
              break;
            }
            case 'abort': {
              const index = one.of % Math.max(1, model.length);
              aborts[index]?.abort(aborted);
              if (model[index] === 'waiting') model[index] = 'cancelled';
              break;
            }
            case 'flush':
              await settled();
          }
        }
        expect(await outcomes()).toEqual(model.map((state) => (state === 'released' ? 'holding' : state)));
        const expected = model.map((state) => (state === 'waiting' ? 1 : 0));
        expect(aborts.map(listeners)).toEqual(expected);
      },
    ),
  );
});

test('a bounded queue loses, duplicates and reorders nothing under close, abort and drain', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'put' } as const) },
    { weight: 4, arbitrary: fc.constant({ kind: 'take' } as const) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), of: place }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'flush' } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: 'drain' } as const) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), fails: fc.boolean() }) },
  );
  const failure = new Error('the producer failed');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 60 }),
      async (capacity, steps) => {
        const queue = new BoundedQueue<number>(capacity);
        const aborts: AbortController[] = [];
        const puts: (Settling & { readonly item: number })[] = [];
        const takes: Settling[] = [];
        const drained: number[] = [];
        const given: number[] = [];
        let isClosed: 'no' | 'well' | 'badly' = 'no';
        const track = async (of: Settling, call: Promise<unknown>) => {
          of.outcome = await call.catch((error: unknown) => error);
        };
        const held = () =>
          puts.filter(({ outcome }) => outcome === true).length - given.length - drained.length;
        for (const one of steps) {
          const abort = new AbortController();
          switch (one.kind) {
            case 'put': {
              const put: (typeof puts)[number] = { item: puts.length + 1 };
              puts.push(put);
              aborts.push(abort);
              void track(put, queue.put(put.item, abort.signal));
              break;
            }
            case 'take': {
              const take: Settling = {};
              takes.push(take);
              aborts.push(abort);
              const call = queue.take(abort.signal).then((item) => {
                if (item !== undefined) given.push(item);
                return item ?? 'end';
              });
              void track(take, call);
              break;
            }
            case 'abort':
              aborts[one.of % Math.max(1, aborts.length)]?.abort(aborted);
              break;
            case 'drain':
              drained.push(...queue.drain());
              break;
            case 'close':
              queue.close(one.fails ? { error: failure } : {});
              if (isClosed === 'no') isClosed = one.fails ? 'badly' : 'well';
              break;
            case 'flush':
              await settled();
              expect(held()).toBeLessThanOrEqual(capacity);
          }
        }
        await settled();
        const waitingPuts = puts.filter(({ outcome }) => outcome === undefined);
        const waitingTakes = takes.filter(({ outcome }) => outcome === undefined);
        // No taker waits for an available item, and nobody waits for a closed queue.
        expect(waitingPuts.length > 0 && held() < capacity).toBe(false);
        expect(waitingTakes.length > 0 && held() > 0).toBe(false);
        if (isClosed !== 'no') expect([waitingPuts, waitingTakes]).toEqual([[], []]);
        else expect(puts.some(({ outcome }) => outcome === false)).toBe(false);
        const atEnd = isClosed === 'badly' ? failure : isClosed === 'well' ? 'end' : aborted;
        const oddTakes = takes.filter(({ outcome }) => outcome !== undefined && typeof outcome !== 'number');
        for (const { outcome } of oddTakes) expect([atEnd, aborted]).toContain(outcome);
        // Close to drain the queue: then every accepted item was taken once, in order.
        queue.close();
        await settled();
        const rest = queue.drain();
        const accepted = puts.filter(({ outcome }) => outcome === true).map(({ item }) => item);
        const all = [...given, ...drained, ...rest];
        expect(all.toSorted((a, b) => a - b)).toEqual(accepted);
        const inCallOrder = takes.map(({ outcome }) => outcome).filter((item) => typeof item === 'number');
        expect(inCallOrder).toEqual(inCallOrder.toSorted((a, b) => a - b));
        expect(aborts.map(listeners)).toEqual(aborts.map(() => 0));
      },
    ),
    { numRuns: 400 },
  );
});

test('withTimeout settles with the first of work, timeout and caller, and leaks nothing', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constantFrom('pause' as const, 'restart' as const, 'resolve' as const) }),
    fc.record({ kind: fc.constantFrom('reject' as const, 'abort' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(5, 10, 20, Infinity), fc.array(step), async (timeoutMs, steps) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      let nowMs = 0;
      const caller = new AbortController();
      const late = new Error('late');
      const broken = new Error('broken');
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      promise.catch(() => undefined);
      let timer: WorkTimer | undefined;
      let signal: AbortSignal | undefined;
      let outcome: unknown;
      let expected: unknown;
      let dueMs = timeoutMs;
      const limit = { timeoutMs, signal: caller.signal, toError: () => late };
      const call = withTimeout(limit, (given, itsTimer) => {
        [signal, timer] = [given, itsTimer];
        return promise;
      });
      void call.then(
        (value) => (outcome = value),
        (error: unknown) => (outcome = error),
      );
      for (const one of steps) {
        switch (one.kind) {
          case 'advance':
            vi.advanceTimersByTime(one.ms);
            nowMs += one.ms;
            if (nowMs >= dueMs) expected ??= late;
            break;
          case 'pause':
            timer?.pause();
            dueMs = Infinity;
            break;
          case 'restart':
            timer?.restart();
            dueMs = nowMs + timeoutMs;
            break;
          case 'resolve':
            resolve('done');
            expected ??= 'done';
            break;
          case 'reject':
            reject(broken);
            expected ??= broken;
            break;
          case 'abort':
            caller.abort(aborted);
            expected ??= aborted;
        }
        await settled();
        expect(outcome).toBe(expected);
        if (expected === late) expect(signal?.reason).toBe(late);
      }
      caller.abort(aborted);
      await settled();
      expect([vi.getTimerCount(), signal?.aborted, listeners(caller)]).toEqual([0, true, 0]);
    }),
  );
});

test('mapConcurrent returns the results in order with a bounded number of calls in flight', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(20),
      async (scheduler, maxConcurrent, items) => {
        let [inFlight, most] = [0, 0];
        const mapped = mapConcurrent(Array(items).keys(), maxConcurrent, async (item) => {
          inFlight += 1;
          most = Math.max(most, inFlight);
          await scheduler.schedule(Promise.resolve());
          inFlight -= 1;
          return item * 2;
        });
        const all = await scheduler.waitFor(Array.fromAsync(mapped));
        expect(all).toEqual(Array.from({ length: items }, (_, item) => item * 2));
        expect(most).toBeLessThanOrEqual(maxConcurrent);
        if (items >= maxConcurrent) expect(most).toBe(maxConcurrent);
      },
    ),
  );
});
