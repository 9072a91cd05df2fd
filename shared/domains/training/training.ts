import { Worker } from 'node:worker_threads';
import { cancelled, throwIfCancelled } from '../../core/async/cancelled.ts';
import { Semaphore } from '../../core/async/semaphore.ts';
import { AppError } from '../../core/errors.ts';
import { unpackError } from '../../core/thrown.ts';
import type { TrainingSpec } from './entities.ts';
import type { TrainingProgress, TrainingReport } from './train.ts';
import type { OwnerMessage, TrainingJob, WorkerMessage } from './worker-protocol.ts';

export interface TrainingDeps {
  /** The module that calls `runTrainingWorker`. */
  readonly workerUrl: URL;
}

export interface TrainingOptions {
  /** Threads that read the table and fit the model. */
  readonly threads: number;
  /** For reading the table. */
  readonly memoryLimitMb: number;
  /** Trainings that run at the same time; the others wait. Each holds its table in memory. */
  readonly maxConcurrent?: number;
}

export interface TrainRequest {
  /** Local files, in the order of their rows. */
  readonly paths: readonly string[];
  readonly spec: TrainingSpec;
  /** What the model was made from; it is written into its file. Equal lineage, equal bytes. */
  readonly lineage: {
    readonly dataset: { readonly name: string; readonly version: number; readonly sha256: string };
    readonly codeVersion: string;
  };
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface TrainedOnnx {
  readonly onnx: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly report: TrainingReport;
}

/** Trains in a thread of its own, so that the caller's event loop stays free. */
export interface Training {
  /** @throws AppError as `train` does; INTERNAL when the thread dies, CANCELLED on abort. */
  train(request: TrainRequest): Promise<TrainedOnnx>;
}

/** How long a thread may take to notice an abort before it is killed. */
const abortGraceMs = 5_000;

export function createTraining({ workerUrl }: TrainingDeps, options: TrainingOptions): Training {
  const { threads, memoryLimitMb, maxConcurrent = 1 } = options;
  const semaphore = new Semaphore(maxConcurrent);
  return {
    train: async ({ paths, spec, lineage, signal, onProgress }) => {
      using _turn = await semaphore.acquire(signal);
      // The abort can have come together with the turn.
      throwIfCancelled(signal, 'The training');
      const job = { paths, spec, metadata: toMetadata(lineage), threads, memoryLimitMb };
      return await runInThread(workerUrl, job, signal, onProgress);
    },
  };
}

function toMetadata({ dataset, codeVersion }: TrainRequest['lineage']): TrainingJob['metadata'] {
  return {
    'slipway.dataset': `${dataset.name}@${dataset.version}`,
    'slipway.dataset.sha256': dataset.sha256,
    'slipway.code': codeVersion,
  };
}

async function runInThread(
  workerUrl: URL,
  job: TrainingJob,
  signal: AbortSignal | undefined,
  onProgress: TrainRequest['onProgress'],
): Promise<TrainedOnnx> {
  const worker = new Worker(workerUrl, { workerData: job, execArgv: [] });
  let forceTimer: NodeJS.Timeout | undefined;
  const abort = () => {
    worker.postMessage({ type: 'abort' } satisfies OwnerMessage);
    forceTimer = setTimeout(() => void worker.terminate(), abortGraceMs);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    // Settled when the thread has exited, so that its memory is free before the next one starts.
    return await new Promise<TrainedOnnx>((resolve, reject) => {
      let settle: () => void = () =>
        reject(
          signal?.aborted
            ? cancelled('The training')
            : new AppError('INTERNAL', 'The training thread ended without an answer.'),
        );
      worker.on('message', (message: WorkerMessage) => {
        switch (message.type) {
          case 'progress':
            onProgress?.(message.progress);
            break;
          case 'done':
            settle = () => resolve(message.trained);
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
