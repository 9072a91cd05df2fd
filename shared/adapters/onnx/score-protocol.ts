import type { ErrorCode, ErrorDetails } from '../../core/errors.ts';
import type { PackedRows } from '../../domains/serving/pack-rows.ts';

/** What the scoring thread is started with. */
export interface ScoreThreadOptions {
  readonly cacheBytes: number;
  readonly chunkRows: number;
}

/** One request to the scoring thread. Without `bytes` the thread answers `needsModel` if it has not the model. */
export interface ScoreRequest {
  readonly id: number;
  readonly sha256: string;
  readonly bytes: Uint8Array | null;
  /** Null: only load the model. */
  readonly rows: PackedRows | null;
}

export type ScoreAnswer =
  | { readonly id: number; readonly type: 'scored'; readonly probabilities: Float32Array<ArrayBuffer> }
  | { readonly id: number; readonly type: 'needsModel' }
  | {
      readonly id: number;
      readonly type: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: ErrorDetails;
    };
