import type { TrainingSpec } from './entities.ts';
import type { TrainingProgress, TrainingReport } from './train.ts';

/** One training, as the thread gets it. */
export interface TrainingJob {
  /** Local files, in the order of their rows. */
  readonly paths: readonly string[];
  readonly spec: TrainingSpec;
  /** Written into the model unchanged. Equal metadata gives equal bytes. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly memoryLimitMb: number;
}

/** A trained model as the thread returns it. */
export interface TrainedOnnx {
  readonly onnx: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly report: TrainingReport;
}

/** The job of the training thread. */
export interface TrainingJobs {
  readonly train: {
    readonly input: TrainingJob;
    readonly output: TrainedOnnx;
    readonly report: TrainingProgress;
  };
}
