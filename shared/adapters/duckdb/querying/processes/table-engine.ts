import { Semaphore } from '../../../../core/async/semaphore.ts';
import type { TableEngine } from '../../../../domains/datasets/reading/table-engine.ts';
import type { ScratchFolders } from '../../../../platform/storage/scratch.ts';
import type { Job, JobOf, JobResults } from './protocol.ts';
import { TableProcess } from './table-process.ts';

export interface TableEngineOptions {
  /** The module that calls `runQueryProcess`. */
  readonly workerUrl: URL;
  readonly scratch: ScratchFolders;
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
export function createTableEngine(options: TableEngineOptions): TableEngine {
  const {
    workerUrl,
    scratch,
    memoryLimitMb,
    timeoutMs,
    tempLimitMb = 2_048,
    maxProcesses = 2,
    idleMs = 30_000,
  } = options;
  const limits = { memoryLimitMb, tempLimitMb };
  const turns = new Semaphore(maxProcesses, maxWaiting);
  const downloadTurns = new Semaphore(maxDownloads, maxWaitingDownloads);
  const idle: { readonly process: TableProcess; readonly jobs: number; readonly timer: NodeJS.Timeout }[] =
    [];

  async function runPooled<Kind extends Job['kind']>(
    job: JobOf<Kind>,
    signal: AbortSignal | undefined,
  ): Promise<JobResults[Kind]> {
    using _turn = await turns.acquire(signal);
    const { process, jobs } = takeIdle() ?? {
      process: await TableProcess.start(workerUrl, scratch),
      jobs: 0,
    };
    try {
      return await process.run<Kind>(job, { limits, signal, timeoutMs });
    } finally {
      if (process.isUsable && jobs < maxJobs) keepIdle(process, jobs + 1);
      else await process[Symbol.asyncDispose]();
    }
  }

  function takeIdle() {
    for (;;) {
      const last = idle.pop();
      if (!last) return undefined;
      clearTimeout(last.timer);
      if (last.process.isUsable) return last;
    }
  }

  function keepIdle(process: TableProcess, jobs: number): void {
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((one) => one.process === process),
        1,
      );
      void process[Symbol.asyncDispose]();
    }, idleMs);
    timer.unref();
    idle.push({ process, jobs, timer });
  }

  return {
    query: (request, signal) => runPooled({ kind: 'query', ...request }, signal),
    readRows: (request, signal) => runPooled({ kind: 'rows', ...request }, signal),
    async writeParquet(table, path, signal) {
      using _turn = await downloadTurns.acquire(signal);
      await using process = await TableProcess.start(workerUrl, scratch);
      return await process.run(
        { kind: 'parquet', table, path },
        { limits, signal, timeoutMs: rewriteTimeoutMs },
      );
    },
    async *encode(format, columns, files, signal) {
      using _turn = await downloadTurns.acquire(signal);
      const given = files[Symbol.asyncIterator]();
      try {
        await using process = await TableProcess.start(workerUrl, scratch);
        const job = process.run({ kind: 'encode', format, columns }, { limits, signal, files: given });
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
        await given.return?.();
      }
    },
  };
}
