import { Worker } from 'node:worker_threads';
import { AppError } from '../../core/errors.ts';
import type { PackedRows } from '../../domains/serving/pack-rows.ts';
import type { ScoreAnswer, ScoreRequest, ScoreThreadOptions } from './score-protocol.ts';

interface Waiting {
  readonly resolve: (answer: ScoreAnswer) => void;
  readonly reject: (error: AppError) => void;
}

/** Rows beyond this are refused until some are answered. */
export interface ScoreQueueLimits {
  readonly maxWaitingRows: number;
}

/**
 * The main thread's end of the scoring thread. The thread starts with the first request, does not keep the process
 * alive, and is replaced if it dies.
 */
export class ScoreThread {
  readonly #options: ScoreThreadOptions & ScoreQueueLimits;
  readonly #waiting = new Map<number, Waiting>();
  #waitingRows = 0;
  #nextId = 0;
  #worker: Worker | undefined;

  constructor(options: ScoreThreadOptions & ScoreQueueLimits) {
    this.#options = options;
  }

  /**
   * @param loadBytes Asked only when the thread has not the model.
   * @throws AppError as `Scorer` says; UNAVAILABLE when the thread dies meanwhile.
   */
  async score(
    sha256: string,
    loadBytes: () => Promise<Uint8Array>,
    rows: PackedRows | null,
  ): Promise<Float32Array> {
    const count = rows?.rows ?? 0;
    if (this.#waitingRows + count > this.#options.maxWaitingRows)
      throw new AppError('RATE_LIMITED', 'Too many rows are waiting to be scored; try again shortly.', {
        maxWaitingRows: this.#options.maxWaitingRows,
      });
    this.#waitingRows += count;
    try {
      let answer = await this.#ask({ sha256, bytes: null, rows });
      if (answer.type === 'needsModel') answer = await this.#ask({ sha256, bytes: await loadBytes(), rows });
      if (answer.type === 'scored') return answer.probabilities;
      if (answer.type === 'failed') throw new AppError(answer.code, answer.message, answer.details);
      throw new AppError('INTERNAL', 'The scoring thread refused the model it was given.');
    } finally {
      this.#waitingRows -= count;
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
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
    const { cacheBytes, chunkRows } = this.#options;
    const worker = new Worker(moduleUrl('./score-worker'), {
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

/** The built app is JavaScript; tests and development run the sources. */
function moduleUrl(path: string): URL {
  return new URL(`${path}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}
