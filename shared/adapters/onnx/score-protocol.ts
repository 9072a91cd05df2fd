import type { Tensors } from '../../domains/serving/tensor.ts';

/** One run of a model. */
export interface ScoreRun {
  readonly inputs: Tensors;
  readonly outputs: readonly string[];
  /** See `RunOptions.rows`. */
  readonly rows: number | undefined;
}

/** The jobs of the scoring thread. */
export interface ScoreJobs {
  readonly score: {
    readonly input: {
      readonly sha256: string;
      /** Null: only load the model. */
      readonly run: ScoreRun | null;
      readonly cacheBytes: number;
      readonly chunkRows: number;
    };
    readonly output: Tensors;
    /** The thread does not have the model, and waits for its bytes. */
    readonly report: 'needsModel';
    readonly reply: Uint8Array;
  };
}
