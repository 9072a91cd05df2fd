import type { Thrown } from '../../core/thrown.ts';
import type { Tensors } from '../../domains/serving/tensor.ts';

/** What the scoring thread is started with. */
export interface ScoreThreadOptions {
  readonly cacheBytes: number;
  readonly chunkRows: number;
}

/** One run of a model. */
export interface ScoreRun {
  readonly inputs: Tensors;
  readonly outputs: readonly string[];
  /** See `RunOptions.rows`. */
  readonly rows: number | undefined;
}

/** One request to the scoring thread. Without `bytes` the thread answers `needsModel` unless it has the model. */
export interface ScoreRequest {
  readonly id: number;
  readonly sha256: string;
  readonly bytes: Uint8Array | null;
  /** Null: only load the model. */
  readonly run: ScoreRun | null;
}

export type ScoreAnswer =
  | { readonly id: number; readonly type: 'done'; readonly outputs: Tensors }
  | { readonly id: number; readonly type: 'needsModel' }
  | { readonly id: number; readonly type: 'failed'; readonly thrown: Thrown };
