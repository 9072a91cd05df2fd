import { fork, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../../../core/errors.ts';
import { unpackError } from '../../../../core/thrown.ts';
import type { ScratchFolder, ScratchFolders } from '../../../../platform/storage/scratch.ts';
import { outOfMemory } from '../errors.ts';
import {
  bytesDescriptor,
  type Job,
  type JobOf,
  type JobResults,
  type OwnerMessage,
  type ProcessMessage,
} from './protocol.ts';
import { type JobLimits } from '../job-limits.ts';

/** How long a process may take to stop before it is killed. */
const stopGraceMs = 1_000;
const startTimeoutMs = 30_000;
/** For values in transit. Excludes DuckDB's memory. */
const heapMb = 256;

export interface RunOptions {
  readonly limits: Omit<JobLimits, 'folder'>;
  readonly signal?: AbortSignal | undefined;
  /** Omitted for jobs that run at the pace of a reader. */
  readonly timeoutMs?: number;
  /** The input of an encode job. */
  readonly files?: AsyncIterator<string>;
}

/** A process that runs jobs, one after the other. It has no environment variables, and its own folder. */
export class TableProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: ScratchFolder;
  readonly #gone: Promise<void>;
  #onMessage: (message: ProcessMessage) => void = () => {};
  #onGone: (error: AppError) => void = () => {};
  #isGone = false;
  /** Why this side stops the process. */
  #end: AppError | undefined;
  #isSpent = false;

  private constructor(child: ChildProcess, folder: ScratchFolder) {
    this.#child = child;
    this.#folder = folder;
    const { promise: exit, resolve } = Promise.withResolvers<void>();
    this.#gone = exit.then(() => folder[Symbol.asyncDispose]());
    const leave = (error: AppError) => {
      if (this.#isGone) return;
      this.#isGone = true;
      this.#onGone(this.#end ?? error);
      resolve();
    };
    child.on('message', (message: ProcessMessage) => this.#onMessage(message));
    child.on('exit', (code, signal) => leave(describeExit(code, signal)));
    child.on('error', (cause) => leave(cannotStart(cause)));
    this.#hold(false);
  }

  /** Whether the process keeps the event loop alive; an idle one does not. */
  #hold(isNeeded: boolean): void {
    for (const handle of [this.#child, this.#child.channel]) {
      if (isNeeded) handle?.ref();
      else handle?.unref();
    }
  }

  static async start(workerUrl: URL, scratch: ScratchFolders): Promise<TableProcess> {
    const folder = await scratch.openFolder();
    const { SystemRoot } = process.env;
    const child = fork(fileURLToPath(workerUrl), [], {
      cwd: folder.path,
      env: { TZ: 'UTC', ...(SystemRoot === undefined ? {} : { SystemRoot }) },
      execArgv: [`--max-old-space-size=${heapMb}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
    });
    const started = new TableProcess(child, folder);
    try {
      await started.#untilReady();
      return started;
    } catch (error) {
      await started[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Loading does not count towards a job's time. */
  async #untilReady(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#onMessage = () => resolve();
    this.#onGone = (cause) => reject(cannotStart(cause));
    const late = new AppError('UNAVAILABLE', `The query process did not start within ${startTimeoutMs} ms.`);
    const timer = setTimeout(() => reject(late), startTimeoutMs);
    this.#hold(true);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#hold(false);
    }
  }

  /** Whether it can run another job. */
  get isUsable(): boolean {
    return !this.#isGone && !this.#isSpent && this.#end === undefined;
  }

  /** The output of an encode job. */
  get bytes(): Readable {
    return this.#child.stdio[bytesDescriptor] as Readable;
  }

  /** Settles when the process has answered or exited. */
  async run<Kind extends Job['kind']>(
    job: JobOf<Kind>,
    { limits, signal, timeoutMs, files }: RunOptions,
  ): Promise<JobResults[Kind]> {
    if (signal?.aborted) throw cancelled();
    const { promise, resolve, reject } = Promise.withResolvers<JobResults[Kind]>();
    if (this.#isGone) throw cannotStart(new Error('it ended before its job'));
    this.#onGone = reject;
    this.#onMessage = (message) => {
      switch (message.type) {
        case 'done':
          resolve(message.result as JobResults[Kind]);
          break;
        case 'failed':
          // Invalid SQL leaves the process clean; other failures may not.
          this.#isSpent = message.code !== 'INVALID_ARGUMENT';
          reject(this.#end ?? unpackError(message));
          break;
        case 'next':
          void this.#sendNext(files);
          break;
        case 'ready':
          break;
        case 'overMemory':
          this.#end ??= outOfMemory(new Error(`resident: ${message.rssBytes} bytes`));
          break;
      }
    };
    const abort = () => this.#stop(cancelled());
    signal?.addEventListener('abort', abort, { once: true });
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => this.#stop(tooSlow(timeoutMs)), timeoutMs);
    this.#hold(true);
    try {
      this.#send({ type: 'start', job: job as Job, limits: { ...limits, folder: this.#folder.path } });
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#onMessage = () => {};
      this.#onGone = () => {};
      this.#hold(false);
    }
  }

  async #sendNext(files: AsyncIterator<string> | undefined): Promise<void> {
    try {
      const next = await files?.next();
      this.#send(!next || next.done ? { type: 'end' } : { type: 'file', path: next.value });
    } catch (error) {
      this.kill(
        error instanceof AppError
          ? error
          : new AppError('INTERNAL', 'A file to encode could not be opened.', {}, error),
      );
    }
  }

  /** Asks the process to stop, and kills it if it does not: DuckDB may not react. */
  #stop(reason: AppError): void {
    this.#end ??= reason;
    this.#send({ type: 'abort' });
    const timer = setTimeout(() => this.kill(reason), stopGraceMs);
    void this.#gone.then(() => clearTimeout(timer));
  }

  kill(reason: AppError): void {
    this.#end ??= reason;
    this.#child.kill('SIGKILL');
  }

  /** Settles when the process has exited and its folder is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hold(true);
    this.kill(cancelled());
    await this.#gone;
  }

  #send(message: OwnerMessage): void {
    // The exit of a process is reported by its event.
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

function cannotStart(cause: Error): AppError {
  return new AppError('UNAVAILABLE', 'The query process could not be started.', {}, cause);
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): AppError {
  // How the operating system and V8 end a process that is out of memory.
  if (signal === 'SIGKILL' || signal === 'SIGABRT') return outOfMemory(new Error(`ended by ${signal}`));
  const cause = new Error(`exit code ${code}, signal ${signal}`);
  return new AppError(
    'UNPROCESSABLE',
    'The query process ended without an answer: DuckDB failed.',
    {},
    cause,
  );
}

function tooSlow(timeoutMs: number): AppError {
  return new AppError(
    'UNPROCESSABLE',
    `The query exceeded its time limit of ${timeoutMs} ms: read fewer rows, or raise the setting SLIPWAY_QUERY_SECONDS.`,
    { limit: 'time', timeoutMs },
  );
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'Reading was cancelled.');
}
