import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../../shared/core/errors.ts';
import {
  processHost,
  type StartHost,
  threadHost,
  type WorkerExit,
} from '../../../shared/core/worker/host.ts';
import { OwnedWorker, type OwnedWorkerOptions } from '../../../shared/core/worker/owned-worker.ts';
import { createFolder } from '../../support/stores.ts';
import type { TestJobs } from '../../support/worker/jobs.ts';

const support = new URL('../../support/worker/', import.meta.url);
const hosts: Readonly<Record<string, (module: URL, maxHeapMb: number) => StartHost>> = {
  thread: (module, maxHeapMb) => threadHost(module, { maxHeapMb }),
  process: (module, maxHeapMb) => processHost(module, { folder: createFolder(), env: {}, maxHeapMb }),
};

describe.each(Object.keys(hosts))('a %s', (kind) => {
  const open = async ({ module = 'jobs-worker.ts', maxHeapMb = 64, ...options }: OpenOptions = {}) => {
    const exits: WorkerExit[] = [];
    const worker = await OwnedWorker.start<TestJobs>({
      host: hosts[kind]!(new URL(module, support), maxHeapMb),
      work: 'The work',
      graceMs: 50,
      startTimeoutMs: 60_000,
      toExitError: (exit) => {
        exits.push(exit);
        return new AppError('INTERNAL', 'It ended.', {}, exit.cause);
      },
      ...options,
    });
    onTestFinished(() => worker[Symbol.asyncDispose]());
    return { worker, exits };
  };

  test('runs jobs, several at once, each with its own answer', async () => {
    const { worker } = await open();
    const inputs = Array.from({ length: 20 }, (_, index) => ({ index, big: 2n ** 70n }));
    expect(await Promise.all(inputs.map((input) => worker.run('echo', input)))).toEqual(inputs);
  });

  test('throws what the job throws', async () => {
    const { worker } = await open();
    await expect(worker.run('fail', undefined)).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: 'It is damaged.',
      details: { reason: 'damaged', line: 7 },
    });
    await expect(worker.run('uncloneable', undefined)).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(worker.run('constructor' as 'echo', undefined)).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(worker.isUsable).toBe(true);
  });

  test('answers what a job asks', async () => {
    const { worker } = await open();
    const numbers = [1, 2, 3];
    const sum = worker.run('sum', undefined, { onReport: (_, reply) => reply(numbers.shift()) });
    expect(await sum).toBe(6);
  });

  test('stops a job that heeds the signal, and runs the next', async () => {
    const { worker, exits } = await open({ graceMs: 60_000 });
    const abort = new AbortController();
    const job = worker.run('wait', undefined, { signal: abort.signal, onReport: () => abort.abort() });
    await expect(job).rejects.toMatchObject({ code: 'CANCELLED', message: 'The work was cancelled.' });
    expect(await worker.run('echo', 'still here')).toBe('still here');
    expect(exits).toEqual([]);
  });

  test('kills a worker whose job does not heed the signal', async () => {
    const { worker } = await open();
    const abort = new AbortController();
    const reason = new AppError('TIMEOUT', 'The caller knows why.');
    const job = worker.run('spin', undefined, {
      signal: abort.signal,
      onReport: () => abort.abort(reason),
    });
    await expect(job).rejects.toBe(reason);
    expect(worker.isUsable).toBe(false);
    await expect(worker.run('echo', 1)).rejects.toThrow('It ended.');
  });

  test('stops a job at its timeout', async () => {
    const { worker } = await open();
    const toError = (timeoutMs: number) => new AppError('TIMEOUT', `over ${timeoutMs} ms`);
    const job = worker.run('wait', undefined, { timeLimit: { timeoutMs: 20, toError } });
    await expect(job).rejects.toThrow('over 20 ms');
    expect(worker.isUsable).toBe(true);
  });

  test('starts no job under a signal that has fired', async () => {
    const { worker } = await open();
    const signal = AbortSignal.abort();
    await expect(worker.run('exit', 1, { signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await worker.run('echo', 1)).toBe(1);
  });

  test('that exits fails every running job with its exit code', async () => {
    const { worker, exits } = await open();
    const outcomes = await Promise.allSettled([
      worker.run('wait', undefined),
      worker.run('exit', 3),
      worker.run('wait', undefined),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(exits).toMatchObject([{ exitCode: 3, signal: null, isOutOfMemory: false }]);
  });

  test('that crashes fails its job with that reason', async () => {
    const { worker, exits } = await open();
    await expect(worker.run('throwLater', 'boom')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(exits).toMatchObject([{ exitCode: 1, isOutOfMemory: false }]);
    if (kind === 'thread') expect(exits[0]?.cause).toMatchObject({ message: 'boom' });
  });

  test('that exhausts its heap fails its job with that reason', async () => {
    const { worker, exits } = await open({ maxHeapMb: 24 });
    await expect(worker.run('fillHeap', undefined)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(exits).toMatchObject([{ isOutOfMemory: true }]);
  });

  test('that cannot be loaded or stays silent is unavailable', async () => {
    await expect(open({ module: 'no-such-worker.ts' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const silent = open({ module: 'silent-worker.ts', startTimeoutMs: 300 });
    await expect(silent).rejects.toThrow('The work did not start within 300 ms.');
  });

  test('ends when it is disposed of', async () => {
    const { worker, exits } = await open();
    const job = worker.run('wait', undefined).catch((error: unknown) => error);
    await worker[Symbol.asyncDispose]();
    expect(await job).toMatchObject({ message: 'It ended.' });
    expect(exits).toMatchObject([{ isOutOfMemory: false }]);
    expect(worker.isUsable).toBe(false);
  });

  test('does not keep its owner alive while it is idle', async () => {
    const { child } = startOwner(kind, 'idle');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

test('a thread moves buffers instead of copying them', async () => {
  const worker = await OwnedWorker.start<TestJobs>({
    host: threadHost(new URL('jobs-worker.ts', support)),
    work: 'The work',
    graceMs: 50,
    startTimeoutMs: 60_000,
    toExitError: () => new AppError('INTERNAL', 'It ended.'),
  });
  onTestFinished(() => worker[Symbol.asyncDispose]());
  const input = new Uint8Array(100);
  expect(await worker.run('move', input, { transfer: [input.buffer] })).toEqual(Uint8Array.of(100));
  expect(input.byteLength).toBe(0);
});

test('a thread gets the given environment', async () => {
  const worker = await OwnedWorker.start<TestJobs>({
    host: threadHost(new URL('jobs-worker.ts', support), { env: { ONLY: 'this' } }),
    work: 'The work',
    graceMs: 50,
    startTimeoutMs: 60_000,
    toExitError: () => new AppError('INTERNAL', 'It ended.'),
  });
  onTestFinished(() => worker[Symbol.asyncDispose]());
  expect(await worker.run('variables', undefined)).toEqual(['ONLY']);
});

test('a process that exceeds its memory limit ends with that reason', async () => {
  const exits: WorkerExit[] = [];
  const worker = await OwnedWorker.start<TestJobs>({
    host: hosts['process']!(new URL('jobs-worker.ts', support), 64),
    work: 'The work',
    graceMs: 50,
    startTimeoutMs: 60_000,
    toExitError: (exit) => {
      exits.push(exit);
      return new AppError('INTERNAL', 'It ended.');
    },
  });
  onTestFinished(() => worker[Symbol.asyncDispose]());
  await expect(worker.run('fillBuffers', undefined, { maxRssMb: 200 })).rejects.toThrow('It ended.');
  expect(exits).toMatchObject([{ isOutOfMemory: true, signal: 'SIGKILL' }]);
});

test('a process ends with its owner, even while busy', async () => {
  const { child, readPid } = startOwner('process', 'busy');
  const pid = await readPid();
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect.poll(() => isRunning(pid)).toBe(false);
});

interface OpenOptions extends Partial<OwnedWorkerOptions> {
  readonly module?: string;
  readonly maxHeapMb?: number;
}

function startOwner(kind: string, mode: string) {
  const child = spawn(process.execPath, [join(support.pathname, 'owner-child.ts'), kind, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  const readPid = async () => Number(((await once(lines, 'line')) as [string])[0]);
  return { child, readPid };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
