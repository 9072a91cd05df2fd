import { AppError } from '../../../core/errors.ts';
import { threadHost } from '../../../core/worker/host.ts';
import { OwnedWorker } from '../../../core/worker/owned-worker.ts';
import type { ModelDescription } from '../../../domains/serving/scorer.ts';
import type { Tensors } from '../../../domains/serving/tensor.ts';
import type { ScoreJobs, ScoreRun } from './score-protocol.ts';

export interface ScoreThreadDeps {
  /** The module that calls `runScoreWorker`. */
  readonly workerUrl: URL;
}

export interface ScoreThreadOptions {
  readonly cacheBytes: number;
  readonly chunkRows: number;
  /** Rows that may wait; beyond them, runs are refused until some are answered. */
  readonly maxWaitingRows: number;
}

const startTimeoutMs = 30_000;

/**
 * The main thread's end of the scoring thread. The thread starts with the first request, does not keep the process
 * alive, and is replaced if it dies.
 */
export class ScoreThread {
  readonly #deps: ScoreThreadDeps;
  readonly #options: ScoreThreadOptions;
  #waitingRows = 0;
  #worker: Promise<OwnedWorker<ScoreJobs>> | undefined;

  constructor(deps: ScoreThreadDeps, options: ScoreThreadOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Loads a model into the thread.
   *
   * @throws AppError UNPROCESSABLE when it cannot be loaded; UNAVAILABLE when the thread dies meanwhile.
   */
  async load(sha256: string, bytes: Uint8Array): Promise<ModelDescription> {
    const { cacheBytes } = this.#options;
    const worker = await this.#getWorker();
    return worker.run('load', { sha256, cacheBytes }, { onReport: (_, reply) => reply(bytes) });
  }

  /**
   * Runs a model in the thread.
   *
   * @param bytes Sent only when the thread does not have the model.
   * @param weight How many rows the run counts as.
   * @throws AppError as `OpenModel.run`.
   */
  async run(sha256: string, bytes: Uint8Array, run: ScoreRun, weight: number): Promise<Tensors> {
    if (this.#waitingRows + weight > this.#options.maxWaitingRows)
      throw new AppError('RATE_LIMITED', 'Too many rows are waiting to be scored; try again shortly.', {
        maxWaitingRows: this.#options.maxWaitingRows,
      });
    const { cacheBytes, chunkRows } = this.#options;
    this.#waitingRows += weight;
    try {
      const worker = await this.#getWorker();
      const input = { sha256, cacheBytes, run, chunkRows };
      return await worker.run('run', input, { onReport: (_, reply) => reply(bytes) });
    } finally {
      this.#waitingRows -= weight;
    }
  }

  async close(): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined);
    this.#worker = undefined;
    await worker?.[Symbol.asyncDispose]();
  }

  /** Starts a thread, unless there is one that is starting or works. */
  async #getWorker(): Promise<OwnedWorker<ScoreJobs>> {
    const known = this.#worker;
    if (known !== undefined) {
      const worker = await known.catch(() => undefined);
      if (worker?.isUsable) return worker;
      // Another caller can have replaced it meanwhile.
      if (this.#worker === known) this.#worker = undefined;
    }
    this.#worker ??= OwnedWorker.start<ScoreJobs>({
      host: threadHost(this.#deps.workerUrl, { name: 'score' }),
      work: 'The scoring thread',
      graceMs: 0,
      startTimeoutMs,
      toExitError: ({ cause }) =>
        new AppError('UNAVAILABLE', 'The scoring thread ended; try again.', {}, cause),
    });
    return this.#worker;
  }
}
