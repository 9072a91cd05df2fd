import { OwnedWorker } from '../../../shared/core/worker/owned-worker.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { processHost, threadHost } from '../../../shared/core/worker/host.ts';
import type { TestJobs } from './jobs.ts';

/** Owns a worker. With `idle` it has nothing left to do and must end; with `busy` it waits forever. */
const [kind, mode] = process.argv.slice(2);
const module = new URL('./jobs-worker.ts', import.meta.url);
const worker = await OwnedWorker.start<TestJobs>({
  host: kind === 'thread' ? threadHost(module) : processHost(module, { folder: '.', env: {}, maxHeapMb: 64 }),
  work: 'The work',
  graceMs: 1_000,
  startTimeoutMs: 60_000,
  toExitError: () => new AppError('INTERNAL', 'It ended.'),
});
const pid = await worker.run('pid', undefined);
if (mode === 'busy') await worker.run('tick', undefined, { onReport: () => console.log(pid) });
