import type { Signature } from './signature.ts';

/** Opens models for scoring, and keeps the ones in use open. */
export interface ModelSessions {
  /**
   * @param load fetches the model's bytes when it is not open yet
   * @throws UNPROCESSABLE when the bytes are not a model that can be served, or not the bytes of that hash
   */
  open(sha256: string, load: () => Promise<Uint8Array>): Promise<ModelSession>;
}

export interface ModelSession {
  readonly signature: Signature;
  /**
   * Scores rows given as the request's columns.
   *
   * @throws INVALID_ARGUMENT naming row and column, PAYLOAD_TOO_LARGE over the row cap
   */
  score(rows: readonly unknown[]): Promise<readonly Prediction[]>;
}

/** The probability that the answer is yes, and the answer at the usual threshold of one half. */
export interface Prediction {
  readonly probability: number;
  readonly label: boolean;
}
