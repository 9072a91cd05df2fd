import { Semaphore } from '../../../../core/async/semaphore.ts';
import type { TableEngine } from '../../../../domains/datasets/reading/table-engine.ts';
import type { Scratch } from '../../../../platform/storage/scratch.ts';
import type { Job, JobOf, JobResults } from './protocol.ts';
import { TableProcess } from './table-process.ts';

export interface TableEngineOptions {
  /** The module that calls `runQueryProcess`. */
  readonly workerUrl: URL;
  readonly scratch: Scratch;
  /** Of DuckDB in one process; the process itself may have 320 MiB more. */
  readonly memoryLimitMb: number;
  /** For one query, or one page of rows. */
  readonly timeoutMs: number;
  /** What one query may spill to disk. */
  readonly tempLimitMb?: number;
  /** Queries that run at the same time; others wait. */
  readonly maxProcesses?: number;
  /** How long an idle process is kept. */
  readonly idleMs?: number;
}

const maxWaiting = 32;
/** Downloads at the same time: each has a process as long as its reader takes. */
const maxDownloads = 4;
const maxWaitingDownloads = 8;
/** One file of a version that has many. */
const rewriteTimeoutMs = 600_000;
/** A process is replaced after so many jobs, whatever it may have gathered by then. */
const maxJobs = 500;

/**
 * Processes, not threads: a thread can be ended only when DuckDB returns from what it does, and takes the platform
 * with it when it crashes or memory is over.
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
        // A job that failed writes no more: its pipe must end for the reader to hear of it.
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
