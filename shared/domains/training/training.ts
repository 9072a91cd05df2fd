import { throwIfCancelled } from '../../core/async/cancelled.ts';
import { Semaphore } from '../../core/async/semaphore.ts';
import { AppError } from '../../core/errors.ts';
import { threadHost } from '../../core/worker/host.ts';
import { OwnedWorker } from '../../core/worker/owned-worker.ts';
import type { TrainingSpec } from './entities.ts';
import type { TrainingProgress } from './train.ts';
import type { TrainedOnnx, TrainingJob, TrainingJobs } from './training-jobs.ts';

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

/** Trains in a thread of its own, so that the caller's event loop stays free. */
export interface Training {
  /** @throws AppError as `train` does; UNAVAILABLE when no thread starts, INTERNAL when it dies, CANCELLED on abort. */
  train(request: TrainRequest): Promise<TrainedOnnx>;
}

/** How long a thread may take to notice an abort before it is killed. */
const abortGraceMs = 5_000;
const startTimeoutMs = 60_000;
const work = 'The training';

export function createTraining({ workerUrl }: TrainingDeps, options: TrainingOptions): Training {
  const { threads, memoryLimitMb, maxConcurrent = 1 } = options;
  const semaphore = new Semaphore(maxConcurrent);
  return {
    train: async ({ paths, spec, lineage, signal, onProgress }) => {
      using _turn = await semaphore.acquire(signal);
      // The abort can have come together with the turn.
      throwIfCancelled(signal, work);
      // Disposed of before the turn ends, so that its memory is free before the next one starts.
      await using worker = await OwnedWorker.start<TrainingJobs>({
        host: threadHost(workerUrl, { name: 'training' }),
        work,
        graceMs: abortGraceMs,
        startTimeoutMs,
        toExitError: ({ cause }) =>
          new AppError('INTERNAL', 'The training thread ended without an answer.', {}, cause),
      });
      const job = { paths, spec, metadata: toMetadata(lineage), threads, memoryLimitMb };
      return await worker.run('train', job, {
        signal,
        onReport: (progress) => onProgress?.(progress),
      });
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
