import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WorkerPool, type WorkerPoolOptions } from '../../../shared/core/worker/worker-pool.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class FakeWorker {
  readonly name: number;
  isUsable = true;
  isDisposed = false;

  constructor(name: number) {
    this.name = name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}

function openPool(options: Partial<WorkerPoolOptions<FakeWorker>> = {}) {
  const started: FakeWorker[] = [];
  const start = async () => {
    const worker = new FakeWorker(started.length);
    started.push(worker);
    return worker;
  };
  const pool = new WorkerPool({ start, maxWorkers: 2, maxWaiting: 1, idleMs: 100, maxJobs: 3, ...options });
  const nameOf = (signal?: AbortSignal) => pool.use(async ({ name }) => name, signal);
  return { pool, started, nameOf };
}

test('reuses idle workers, the most recently used one first', async () => {
  const { pool, started, nameOf } = openPool();
  const gate = Promise.withResolvers<void>();
  const both = [pool.use(() => gate.promise), pool.use(() => gate.promise)];
  gate.resolve();
  await Promise.all(both);
  expect([await nameOf(), await nameOf(), started.length]).toEqual([1, 1, 2]);
});

test('disposes of an idle worker after the timeout', async () => {
  const { started, nameOf } = openPool();
  await nameOf();
  await vi.advanceTimersByTimeAsync(99);
  await nameOf();
  await vi.advanceTimersByTimeAsync(99);
  expect(started[0]?.isDisposed).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(started[0]?.isDisposed).toBe(true);
  expect([await nameOf(), started.length]).toEqual([1, 2]);
});

test('replaces a worker after its maximum of jobs', async () => {
  const { started, nameOf } = openPool();
  for (let job = 0; job < 3; job += 1) expect(await nameOf()).toBe(0);
  expect(started[0]?.isDisposed).toBe(true);
  expect(await nameOf()).toBe(1);
});

test('never reuses a worker that became unusable', async () => {
  const { pool, started, nameOf } = openPool();
  const failing = pool.use(async (worker) => {
    worker.isUsable = false;
    throw new Error('broken');
  });
  await expect(failing).rejects.toThrow('broken');
  expect(started[0]?.isDisposed).toBe(true);
  expect(await nameOf()).toBe(1);
  started[1]!.isUsable = false;
  expect(await nameOf()).toBe(2);
  expect(started[1]?.isDisposed).toBe(true);
});

test('queues callers, and refuses them when the queue is full', async () => {
  const { pool, started, nameOf } = openPool({ maxWorkers: 1 });
  const gate = Promise.withResolvers<void>();
  const first = pool.use(() => gate.promise);
  const abort = new AbortController();
  const waiting = nameOf(abort.signal);
  await expect(nameOf()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  gate.resolve();
  await first;
  expect([await nameOf(), started.length]).toEqual([0, 1]);
});

test('frees the slot of a worker that fails to start', async () => {
  const { nameOf } = openPool({ maxWorkers: 1, start: () => Promise.reject(new Error('no start')) });
  await expect(nameOf()).rejects.toThrow('no start');
  await expect(nameOf()).rejects.toThrow('no start');
});

test('closes all workers and timers', async () => {
  const { pool, started, nameOf } = openPool();
  const gate = Promise.withResolvers<void>();
  const busy = pool.use(() => gate.promise);
  await nameOf();
  await pool[Symbol.asyncDispose]();
  expect(started.map(({ isDisposed }) => isDisposed)).toEqual([false, true]);
  gate.resolve();
  await busy;
  expect(started.map(({ isDisposed }) => isDisposed)).toEqual([true, true]);
  expect(vi.getTimerCount()).toBe(0);
});
