import type { ModelValue } from './model-value.ts';
import type { Signature } from './signature.ts';
import type { ModelTask } from './tasks/catalog.ts';
import type { Tensors } from './tensor.ts';

/** What a model file says of itself. */
export interface ModelDescription {
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Files beside it that hold weights: paths from its folder, all below that. */
  readonly weightFiles: readonly string[];
  /** How rows become its inputs. Null when its inputs are not all [rows, 1] tensors of a type that rows can fill. */
  readonly signature: Signature | null;
  /** What its outputs mean. */
  readonly task: ModelTask;
}

/** A model by the hash of its bytes; `load` is called only when they are not in memory. */
export interface ModelSource {
  readonly sha256: string;
  load(): Promise<Uint8Array>;
}

export interface RunOptions {
  /** The names of the outputs to compute. */
  readonly outputs: readonly string[];
  /**
   * Set when the inputs are so many rows, each answered alone: long batches then run in pieces. Left out, the inputs
   * run unchanged, once.
   */
  readonly rows?: number;
}

/** A loaded model, which stays loaded until it is disposed of: `await using model = await scorer.open(source)`. */
export interface OpenModel extends AsyncDisposable {
  readonly description: ModelDescription;
  /**
   * @returns The outputs, by name.
   * @throws AppError INVALID_ARGUMENT when the inputs do not fit the model (see `checkInputs`); UNPROCESSABLE when it
   *   fails on them, or has no such output of a type that answers can carry; PAYLOAD_TOO_LARGE for too many rows;
   *   RATE_LIMITED when too much waits already; UNAVAILABLE when the scoring thread dies.
   */
  run(inputs: Tensors, options: RunOptions): Promise<Tensors>;
}

/** Runs models. */
export interface Scorer {
  /**
   * Loads a model, unless it is loaded already.
   *
   * @throws AppError UNPROCESSABLE for a model that cannot be loaded (corrupt, too large, of unknown operators), and
   *   what `ModelSource.load` throws.
   */
  open(model: ModelSource): Promise<OpenModel>;
  close(): Promise<void>;
}
