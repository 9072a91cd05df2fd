import type { TrainingSpec } from './entities.ts';
import type { TrainingProgress } from './train.ts';
import type { TrainedOnnx } from './training.ts';

/** One training, as the thread gets it. */
export interface TrainingJob {
  /** Local files, in the order of their rows. */
  readonly paths: readonly string[];
  readonly spec: TrainingSpec;
  /** Written into the model as it is. Equal metadata, equal bytes. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly memoryLimitMb: number;
}

/** The job of the training thread. */
export interface TrainingJobs {
  readonly train: {
    readonly input: TrainingJob;
    readonly output: TrainedOnnx;
    readonly report: TrainingProgress;
  };
}
