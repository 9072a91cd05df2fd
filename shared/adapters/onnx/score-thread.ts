import { Worker } from 'node:worker_threads';
import { AppError } from '../../core/errors.ts';
import { unpackError } from '../../core/thrown.ts';
import type { Tensors } from '../../domains/serving/tensor.ts';
import type { ScoreAnswer, ScoreRequest, ScoreRun, ScoreThreadOptions } from './score-protocol.ts';

interface Waiting {
  readonly resolve: (answer: ScoreAnswer) => void;
  readonly reject: (error: AppError) => void;
}

export interface ScoreQueueOptions {
  /** The module that calls `runScoreWorker`. */
  readonly workerUrl: URL;
  /** Rows that may wait; beyond them, calls are refused until some are answered. */
  readonly maxWaitingRows: number;
}

/**
 * The main thread's end of the scoring thread. The thread starts with the first request, does not keep the process
 * alive, and is replaced if it dies.
 */
export class ScoreThread {
  readonly #options: ScoreThreadOptions & ScoreQueueOptions;
  readonly #waiting = new Map<number, Waiting>();
  #waitingRows = 0;
  #nextId = 0;
  #worker: Worker | undefined;

  constructor(options: ScoreThreadOptions & ScoreQueueOptions) {
    this.#options = options;
  }

  /**
   * Loads a model into the thread.
   *
   * @throws AppError UNPROCESSABLE when it cannot be loaded; UNAVAILABLE when the thread dies meanwhile.
   */
  async load(sha256: string, bytes: Uint8Array): Promise<void> {
    await this.#askWith(sha256, bytes, null);
  }

  /**
   * Runs a model in the thread.
   *
   * @param bytes Sent only when the thread does not have the model.
   * @param weight How many rows the call counts as.
   * @throws AppError as `OpenModel.run`.
   */
  async run(sha256: string, bytes: Uint8Array, run: ScoreRun, weight: number): Promise<Tensors> {
    if (this.#waitingRows + weight > this.#options.maxWaitingRows)
      throw new AppError('RATE_LIMITED', 'Too many rows are waiting to be scored; try again shortly.', {
        maxWaitingRows: this.#options.maxWaitingRows,
      });
    this.#waitingRows += weight;
    try {
      return await this.#askWith(sha256, bytes, run);
    } finally {
      this.#waitingRows -= weight;
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #askWith(sha256: string, bytes: Uint8Array, run: ScoreRun | null): Promise<Tensors> {
    let answer = await this.#ask({ sha256, bytes: null, run });
    if (answer.type === 'needsModel') answer = await this.#ask({ sha256, bytes, run });
    if (answer.type === 'done') return answer.outputs;
    if (answer.type === 'failed') throw unpackError(answer.thrown);
    throw new AppError('INTERNAL', 'The scoring thread refused the model it was given.');
  }

  #ask(request: Omit<ScoreRequest, 'id'>): Promise<ScoreAnswer> {
    const id = this.#nextId++;
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...request, id } satisfies ScoreRequest);
    });
  }

  #start(): Worker {
    const { cacheBytes, chunkRows, workerUrl } = this.#options;
    const worker = new Worker(workerUrl, {
      workerData: { cacheBytes, chunkRows } satisfies ScoreThreadOptions,
      execArgv: [],
    });
    worker.on('message', (answer: ScoreAnswer) => {
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) worker.unref();
    });
    const fail = (cause?: unknown) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values())
        reject(new AppError('UNAVAILABLE', 'The scoring thread ended; try again.', {}, cause));
      this.#waiting.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail());
    return worker;
  }
}
