/** What a model predicts, one entry a row, by the kind of prediction. Matrices are row by row. */
export interface Predictions {
  /** The probability of a positive. */
  readonly binary: { readonly probabilities: Float64Array };
  /** A probability for each class: rows x classes, each row summing to 1. */
  readonly multiclass: { readonly classes: number; readonly probabilities: Float64Array };
  readonly regression: { readonly predictions: Float64Array };
}

export type PredictionKind = keyof Predictions;

/** What turned out to be true, one entry a row. */
export interface Truths {
  /** 0 or 1. */
  readonly binary: { readonly labels: Uint8Array };
  /** The index of the true class. */
  readonly multiclass: { readonly labels: Int32Array };
  readonly regression: { readonly targets: Float64Array };
}

/** Predictions beside what turned out to be true. */
export type ScoredRows<Kind extends PredictionKind> = Predictions[Kind] & Truths[Kind];

/** A figure that measures predictions. */
export interface Metric {
  /** One line for people. */
  readonly description: string;
  /** Which of two values is better; `none` for a figure that describes the rows rather than the predictions. */
  readonly direction: 'higher' | 'lower' | 'none';
  /** The smallest and the largest value it can take, both included. NaN means that the rows do not define it. */
  readonly range: readonly [min: number, max: number];
  /** How to compute it, for each kind of prediction that has it. */
  readonly compute: { readonly [Kind in PredictionKind]?: (rows: ScoredRows<Kind>) => number };
}
