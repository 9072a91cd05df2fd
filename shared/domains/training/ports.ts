import type { TrainingSpec } from './entities.ts';

/** Trains on a local table file, off the event loop. @throws UNPROCESSABLE (the data cannot be learned from), CANCELLED */
export type TrainModel = (request: TrainRequest) => Promise<TrainedOnnx>;

export interface TrainRequest {
  /** Local files, in the order of their rows. */
  readonly paths: readonly string[];
  readonly spec: TrainingSpec;
  /** Written into the model file: what it was made from. */
  readonly lineage: {
    readonly dataset: { readonly name: string; readonly version: number; readonly sha256: string };
    readonly codeVersion: string;
  };
  readonly signal: AbortSignal;
  readonly report: (fraction: number, message: string) => void;
}

export interface TrainedOnnx {
  readonly onnx: Uint8Array;
  readonly sha256: string;
  /** Measured on the holdout rows. */
  readonly metrics: Readonly<Record<string, number>>;
}
