import type { Thrown } from '../../core/thrown.ts';
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

/** From the thread to its owner. Exactly one `done` or `failed` comes last. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly progress: TrainingProgress }
  | { readonly type: 'done'; readonly trained: TrainedOnnx }
  | ({ readonly type: 'failed' } & Thrown);

/** From the owner to the thread. */
export type OwnerMessage = { readonly type: 'abort' };
