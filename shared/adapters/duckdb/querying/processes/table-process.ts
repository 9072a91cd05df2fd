import type { Readable } from 'node:stream';
import { AppError, isAppError } from '../../../../core/errors.ts';
import { processHost, type WorkerExit } from '../../../../core/worker/host.ts';
import { OwnedWorker, type RunOptions } from '../../../../core/worker/owned-worker.ts';
import type { ScratchFolder, ScratchFolders } from '../../../../platform/storage/scratch.ts';
import { outOfMemory } from '../errors.ts';
import type { JobLimits } from '../job-limits.ts';
import type { QueryJobs } from './jobs.ts';

/** How long a process may take to stop before it is killed: DuckDB may not react. */
const graceMs = 1_000;
const startTimeoutMs = 30_000;
/** For values in transit. Excludes DuckDB's memory. */
const maxHeapMb = 256;
/** For Node.js, DuckDB's code, and memory outside of DuckDB's limit. */
const headroomMb = 320;

export interface TableProcessDeps {
  /** The module that calls `runQueryProcess`. */
  readonly workerUrl: URL;
  readonly scratch: ScratchFolders;
}

/** A process that runs jobs, one after the other. It has no environment variables, and its own folder. */
export class TableProcess implements AsyncDisposable {
  /** The output of an encode job. */
  readonly bytes: Readable;
  readonly #worker: OwnedWorker<QueryJobs>;
  readonly #folder: ScratchFolder;
  readonly #limits: JobLimits;
  #hasFailed = false;

  private constructor(
    worker: OwnedWorker<QueryJobs>,
    bytes: Readable,
    folder: ScratchFolder,
    limits: JobLimits,
  ) {
    this.#worker = worker;
    this.bytes = bytes;
    this.#folder = folder;
    this.#limits = limits;
  }

  /** @throws UNAVAILABLE when it does not start */
  static async start(
    { workerUrl, scratch }: TableProcessDeps,
    limits: Omit<JobLimits, 'folder'>,
  ): Promise<TableProcess> {
    const folder = await scratch.openFolder();
    const { SystemRoot } = process.env;
    let bytes: Readable | undefined;
    try {
      const worker = await OwnedWorker.start<QueryJobs>({
        host: processHost(workerUrl, {
          folder: folder.path,
          env: { TZ: 'UTC', ...(SystemRoot === undefined ? {} : { SystemRoot }) },
          maxHeapMb,
          onBytes: (opened) => (bytes = opened),
        }),
        work: 'Reading the table',
        graceMs,
        startTimeoutMs,
        toExitError: describeExit,
      });
      return new TableProcess(worker, bytes!, folder, { ...limits, folder: folder.path });
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whether it can run another job. */
  get isUsable(): boolean {
    return this.#worker.isUsable && !this.#hasFailed;
  }

  /** @param timeoutMs Infinity for a job that runs at the pace of a reader */
  async run<Name extends keyof QueryJobs>(
    name: Name,
    input: Omit<QueryJobs[Name]['input'], 'limits'>,
    timeoutMs: number,
    options: Pick<RunOptions<QueryJobs, Name>, 'signal' | 'onReport'>,
  ): Promise<QueryJobs[Name]['output']> {
    try {
      return await this.#worker.run(name, { ...input, limits: this.#limits } as QueryJobs[Name]['input'], {
        ...options,
        maxRssMb: this.#limits.memoryLimitMb + headroomMb,
        ...(timeoutMs === Infinity ? {} : { timeLimit: { timeoutMs, toError: tooSlow } }),
      });
    } catch (error) {
      // Invalid SQL leaves the process clean; other failures may not.
      this.#hasFailed = !isAppError(error) || error.code !== 'INVALID_ARGUMENT';
      throw error;
    }
  }

  /** Settles when the process has exited and its folder is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}

function describeExit({ isOutOfMemory, exitCode, signal, cause }: WorkerExit): AppError {
  const reason = cause ?? new Error(`exit code ${exitCode}, signal ${signal}`);
  if (isOutOfMemory) return outOfMemory(reason);
  return new AppError(
    'UNPROCESSABLE',
    'The query process ended without an answer: DuckDB failed.',
    {},
    reason,
  );
}

function tooSlow(timeoutMs: number): AppError {
  return new AppError(
    'UNPROCESSABLE',
    `The query exceeded its time limit of ${timeoutMs} ms: read fewer rows, or raise the setting SLIPWAY_QUERY_SECONDS.`,
    { limit: 'time', timeoutMs },
  );
}
