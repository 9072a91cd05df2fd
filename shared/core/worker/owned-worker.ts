import type { Transferable } from 'node:worker_threads';
import { cancelled, throwIfCancelled } from '../async/cancelled.ts';
import { withTimeout } from '../async/with-timeout.ts';
import { AppError, isAppError } from '../errors.ts';
import { unpackError } from '../thrown.ts';
import type { StartHost, WorkerExit, WorkerHost } from './host.ts';
import type { JobTable, ReplyOf, ReportOf, WorkerMessage } from './messages.ts';

export interface OwnedWorkerOptions {
  readonly host: StartHost;
  /** The subject of error messages: `The training`. */
  readonly work: string;
  /** The time a stopped job has to end before the worker is killed. */
  readonly graceMs: number;
  /** Limits loading its module. */
  readonly startTimeoutMs: number;
  /** The error of running jobs when the worker exits. */
  readonly toExitError: (exit: WorkerExit) => AppError;
}

export interface RunOptions<Jobs extends JobTable<Jobs>, Name extends keyof Jobs> {
  /** Stops the job, and kills the worker if the job does not end in time. */
  readonly signal?: AbortSignal | undefined;
  /** Stops the job like the signal, with another error. */
  readonly timeLimit?: { readonly timeoutMs: number; readonly toError: (timeoutMs: number) => AppError };
  /** A process kills itself when it uses more. */
  readonly maxRssMb?: number;
  readonly transfer?: readonly Transferable[];
  /** Called with each report; `reply` answers a report that the job waits for. */
  readonly onReport?: (report: ReportOf<Jobs[Name]>, reply: (reply: ReplyOf<Jobs[Name]>) => void) => void;
}

interface RunningJob {
  readonly resolve: (output: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onReport: (report: never) => void;
  /** Why it was stopped. */
  stopReason?: AppError;
}

/** Owns a thread or process that runs jobs, concurrently if it can. */
export class OwnedWorker<Jobs extends JobTable<Jobs>> implements AsyncDisposable {
  readonly #options: OwnedWorkerOptions;
  readonly #host: WorkerHost;
  readonly #jobs = new Map<number, RunningJob>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<WorkerExit>();
  #nextId = 0;
  #exit: WorkerExit | undefined;
  #isStopping = false;

  private constructor(options: OwnedWorkerOptions) {
    this.#options = options;
    this.#host = options.host({
      onMessage: (message) => this.#receive(message),
      onExit: (exit) => this.#end(exit),
    });
    this.#host.setNeeded(false);
  }

  /** @throws UNAVAILABLE when it fails to start within `startTimeoutMs` */
  static async start<Jobs extends JobTable<Jobs>>(options: OwnedWorkerOptions): Promise<OwnedWorker<Jobs>> {
    const worker = new OwnedWorker<Jobs>(options);
    const toError = (timeoutMs: number) =>
      new AppError('UNAVAILABLE', `${options.work} did not start within ${timeoutMs} ms.`);
    worker.#host.setNeeded(true);
    try {
      await withTimeout({ timeoutMs: options.startTimeoutMs, toError }, () => worker.#ready.promise);
      return worker;
    } catch (error) {
      await worker[Symbol.asyncDispose]();
      throw error;
    } finally {
      worker.#updateNeed();
    }
  }

  /** Whether it accepts jobs. */
  get isUsable(): boolean {
    return this.#exit === undefined && !this.#isStopping;
  }

  /**
   * Runs a job. Settles only when the worker has answered or exited, so that nothing of the job keeps running.
   *
   * @throws errors of the job; CANCELLED; the errors of `timeLimit` and `toExitError`
   */
  async run<Name extends keyof Jobs & string>(
    job: Name,
    input: Jobs[Name]['input'],
    options: RunOptions<Jobs, Name> = {},
  ): Promise<Jobs[Name]['output']> {
    const { signal, timeLimit, maxRssMb, transfer, onReport } = options;
    const { work, toExitError } = this.#options;
    throwIfCancelled(signal, work);
    if (this.#exit) throw toExitError(this.#exit);
    const id = (this.#nextId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<Jobs[Name]['output']>();
    const reply = (answer: ReplyOf<Jobs[Name]>) => this.#host.post({ kind: 'reply', id, reply: answer });
    this.#jobs.set(id, { resolve, reject, onReport: (report) => onReport?.(report, reply) });
    let grace: NodeJS.Timeout | undefined;
    const stop = (reason: AppError) => {
      const running = this.#jobs.get(id);
      if (running === undefined || running.stopReason) return;
      running.stopReason = reason;
      this.#host.post({ kind: 'abort', id });
      grace = setTimeout(() => this.#kill(), this.#options.graceMs);
    };
    const onAbort = () => stop(isAppError(signal?.reason) ? signal.reason : cancelled(work, signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      timeLimit && setTimeout(() => stop(timeLimit.toError(timeLimit.timeoutMs)), timeLimit.timeoutMs);
    this.#updateNeed();
    try {
      this.#host.post(
        { kind: 'run', id, job, input, ...(maxRssMb === undefined ? {} : { maxRssMb }) },
        transfer,
      );
      return await promise;
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      signal?.removeEventListener('abort', onAbort);
      this.#jobs.delete(id);
      this.#updateNeed();
    }
  }

  /** Kills the worker and waits for its exit, so that its memory is free. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    this.#host.setNeeded(true);
    await this.#exited.promise;
  }

  #kill(): void {
    this.#isStopping = true;
    this.#host.kill();
  }

  /** Only a worker with jobs keeps this process alive. */
  #updateNeed(): void {
    if (this.#exit === undefined) this.#host.setNeeded(this.#jobs.size > 0);
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#ready.resolve();
        break;
      case 'report':
        this.#jobs.get(message.id)?.onReport(message.report as never);
        break;
      case 'done':
        this.#jobs.get(message.id)?.resolve(message.output as never);
        break;
      case 'failed': {
        const running = this.#jobs.get(message.id);
        running?.reject(running.stopReason ?? unpackError(message.error));
        break;
      }
    }
  }

  #end(how: WorkerExit): void {
    // A process killed by its owner looks like one that the system killed for its memory.
    const exit = this.#isStopping ? { ...how, isOutOfMemory: false } : how;
    this.#exit = exit;
    const error = this.#options.toExitError(exit);
    for (const { reject, stopReason } of this.#jobs.values()) reject(stopReason ?? error);
    this.#ready.promise.catch(() => undefined);
    this.#ready.reject(new AppError('UNAVAILABLE', `${this.#options.work} could not start.`, {}, error));
    this.#exited.resolve(exit);
  }
}
