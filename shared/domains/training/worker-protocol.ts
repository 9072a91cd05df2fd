import type { Thrown } from '../../core/thrown.ts';
import type { TrainingSpec } from './entities.ts';
import type { TrainingProgress, TrainingReport } from './train.ts';

/** One training, as it is handed to the thread that does it. */
export interface TrainingJob {
  /** Local files, in the order of their rows. */
  readonly paths: readonly string[];
  readonly spec: TrainingSpec;
  /** Written into the model as it is: the dataset's version, the code's version. Equal metadata, equal bytes. */
  readonly metadata: Readonly<Record<string, string>>;
  /** For reading the table. */
  readonly threads: number;
  readonly memoryLimitMb: number;
}

export interface TrainingOutcome {
  /** The ONNX model. */
  readonly model: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  readonly report: TrainingReport;
}

/** From the thread to its owner. Exactly one `done` or `failed` comes last. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly progress: TrainingProgress }
  | { readonly type: 'done'; readonly outcome: TrainingOutcome }
  | ({ readonly type: 'failed' } & Thrown);

/** From the owner to the thread. */
export type OwnerMessage = { readonly type: 'abort' };
