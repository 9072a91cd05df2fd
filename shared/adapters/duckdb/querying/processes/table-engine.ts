import { Semaphore } from '../../../../core/async/semaphore.ts';
import { toAppError } from '../../../../core/errors.ts';
import { WorkerPool } from '../../../../core/worker/worker-pool.ts';
import type { TableEngine } from '../../../../domains/datasets/reading/table-engine.ts';
import { TableProcess, type TableProcessDeps } from './table-process.ts';

export type TableEngineDeps = TableProcessDeps;

export interface TableEngineOptions {
  /** The limit of DuckDB per process; the process may use 320 MiB more. */
  readonly memoryLimitMb: number;
  /** Per query or page of rows. */
  readonly timeoutMs: number;
  /** What a query may spill to disk. */
  readonly tempLimitMb?: number;
  /** Concurrent queries; others queue. */
  readonly maxProcesses?: number;
  /** How long an idle process is kept. */
  readonly idleMs?: number;
}

const maxWaiting = 32;
/** Concurrent downloads. Each has a process until its reader has finished. */
const maxDownloads = 4;
const maxWaitingDownloads = 8;
/** For writing one file from a version of many. */
const rewriteTimeoutMs = 600_000;
/** A process is replaced after this many jobs, to bound leaks. */
const maxJobs = 500;

/**
 * Runs jobs in processes. A thread could be stopped only when DuckDB returns, and a crash or lack of memory would end the
 * platform.
 */
export function createTableEngine(
  deps: TableEngineDeps,
  { memoryLimitMb, timeoutMs, tempLimitMb = 2_048, maxProcesses = 2, idleMs = 30_000 }: TableEngineOptions,
): TableEngine {
  const start = () => TableProcess.start(deps, { memoryLimitMb, tempLimitMb });
  const queries = new WorkerPool({ start, maxWorkers: maxProcesses, maxWaiting, idleMs, maxJobs });
  const downloads = new Semaphore(maxDownloads, maxWaitingDownloads);
  return {
    query: (request, signal) =>
      queries.use((process) => process.run('query', { request }, timeoutMs, { signal }), signal),
    readRows: (request, signal) =>
      queries.use((process) => process.run('rows', { request }, timeoutMs, { signal }), signal),
    async writeParquet(table, path, signal) {
      using _permit = await downloads.acquire(signal);
      await using process = await start();
      return await process.run('parquet', { table, path }, rewriteTimeoutMs, { signal });
    },
    async *encode(format, columns, files, signal) {
      using _permit = await downloads.acquire(signal);
      const paths = files[Symbol.asyncIterator]();
      const unreadable = new AbortController();
      try {
        await using process = await start();
        const job = process.run('encode', { format, columns }, Infinity, {
          signal: signal ? AbortSignal.any([signal, unreadable.signal]) : unreadable.signal,
          onReport: (_, reply) =>
            void paths.next().then(
              ({ done, value }) => reply(done === true ? undefined : value),
              (error: unknown) => unreadable.abort(toAppError(error)),
            ),
        });
        // A failed job writes no more: ends the pipe so that the reader gets the error.
        const failed = job.then(
          () => undefined,
          (error: unknown) => {
            process.bytes.destroy();
            return { error };
          },
        );
        try {
          yield* process.bytes as AsyncIterable<Uint8Array>;
        } catch (cause) {
          throw (await failed)?.error ?? cause;
        }
        const failure = await failed;
        if (failure) throw failure.error;
      } finally {
        await paths.return?.();
      }
    },
  };
}
