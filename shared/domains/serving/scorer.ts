import type { PackedRows } from './pack-rows.ts';
import type { Signature } from './signature.ts';

/** A tensor that a model takes or gives. A dimension that may vary has a name instead of a size. */
export interface ModelValue {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** What a model file says of itself. */
export interface ModelDescription {
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Where it keeps weights outside of its own file: paths from its folder, all below that. */
  readonly weightFiles: readonly string[];
  /** Null when its inputs are not all [rows, 1] tensors of a type that requests can carry. */
  readonly signature: Signature | null;
}

/** A model by the hash of its bytes; the bytes are fetched only when they are not at hand already. */
export interface ModelSource {
  readonly sha256: string;
  load(): Promise<Uint8Array>;
}

interface Scores {
  /** The probability of a positive, one a row. */
  readonly probabilities: Float32Array;
}

/**
 * Runs models. Throws `AppError`: UNPROCESSABLE for a model that cannot be run (corrupt, or without a float32
 * output `probability`), PAYLOAD_TOO_LARGE for too many rows at once, RATE_LIMITED when too much waits already,
 * and whatever `ModelSource.load` throws.
 */
export interface Scorer {
  /** Loads the model, unless it is loaded already, and says what it takes and gives. */
  describe(model: ModelSource): Promise<ModelDescription>;
  score(model: ModelSource, rows: PackedRows): Promise<Scores>;
  close(): Promise<void>;
}
