import { Worker } from 'node:worker_threads';
import { AppError } from '../../core/errors.ts';
import { unpackError } from '../../core/thrown.ts';
import { Semaphore } from '../../core/async/semaphore.ts';
import type { TrainingProgress } from './train.ts';
import type { OwnerMessage, TrainingJob, TrainingOutcome, WorkerMessage } from './worker-protocol.ts';

export interface TrainingRunner {
  /**
   * Trains in a thread of its own: the caller's event loop stays free.
   *
   * @throws AppError as `train` does; INTERNAL when the thread dies, CANCELLED on abort.
   */
  train(
    job: TrainingJob,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: TrainingProgress) => void },
  ): Promise<TrainingOutcome>;
}

export interface TrainingRunnerOptions {
  /** The module that calls `runTrainingWorker`. */
  readonly workerUrl: URL;
  /** Trainings that run at the same time; the others wait. Each holds its table in memory. */
  readonly maxConcurrent?: number;
}

/** How long a thread may take to notice an abort before it is ended by force. */
const abortGraceMs = 5_000;

export function createTrainingRunner({
  workerUrl,
  maxConcurrent = 1,
}: TrainingRunnerOptions): TrainingRunner {
  const turns = new Semaphore(maxConcurrent);
  return {
    train: async (job, { signal, onProgress } = {}) => {
      using _turn = await turns.acquire(signal);
      return await runInThread(workerUrl, job, signal, onProgress);
    },
  };
}

async function runInThread(
  workerUrl: URL,
  job: TrainingJob,
  signal: AbortSignal | undefined,
  onProgress: ((progress: TrainingProgress) => void) | undefined,
): Promise<TrainingOutcome> {
  // An abort that came with the turn itself.
  if (signal?.aborted) throw cancelled();
  const worker = new Worker(workerUrl, { workerData: job, execArgv: [] });
  let forceTimer: NodeJS.Timeout | undefined;
  const abort = () => {
    worker.postMessage({ type: 'abort' } satisfies OwnerMessage);
    forceTimer = setTimeout(() => void worker.terminate(), abortGraceMs);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    // Settled when the thread is gone, so that its memory is free before the next one starts.
    return await new Promise<TrainingOutcome>((resolve, reject) => {
      let settle: () => void = () =>
        reject(
          signal?.aborted
            ? cancelled()
            : new AppError('INTERNAL', 'The training thread ended without an answer.'),
        );
      worker.on('message', (message: WorkerMessage) => {
        switch (message.type) {
          case 'progress':
            onProgress?.(message.progress);
            break;
          case 'done':
            settle = () => resolve(message.outcome);
            break;
          case 'failed':
            settle = () => reject(unpackError(message));
            break;
        }
      });
      worker.on('error', (error) => {
        settle = () => reject(new AppError('INTERNAL', 'The training thread failed.', {}, error));
      });
      worker.on('exit', () => settle());
    });
  } finally {
    clearTimeout(forceTimer);
    signal?.removeEventListener('abort', abort);
  }
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'The training was cancelled.');
}
