import type { ModelDescription } from '../../../domains/serving/scorer.ts';
import type { Tensors } from '../../../domains/serving/tensor.ts';

/** One run of a model. */
export interface ScoreRun {
  readonly inputs: Tensors;
  readonly outputs: readonly string[];
  /** See `RunOptions.rows`. */
  readonly rows: number | undefined;
}

/** The thread does not have the model, and waits for its bytes. */
interface NeedsModel {
  readonly report: 'needsModel';
  readonly reply: Uint8Array;
}

/** How the thread keeps models. */
interface ModelRequest {
  readonly sha256: string;
  readonly cacheBytes: number;
}

/** The jobs of the scoring thread. */
export interface ScoreJobs {
  /** Loads a model and describes it. */
  readonly load: NeedsModel & { readonly input: ModelRequest; readonly output: ModelDescription };
  readonly run: NeedsModel & {
    readonly input: ModelRequest & { readonly run: ScoreRun; readonly chunkRows: number };
    readonly output: Tensors;
  };
}
