import type { z } from 'zod';
import type { MetricName } from '../../../core/stats/metrics/catalog.ts';
import type { ModelValue } from '../model-value.ts';
import type { Tensors } from '../tensor.ts';

/** What a model's file says that decides how its outputs are read. */
export interface ModelFacts {
  readonly outputs: readonly ModelValue[];
  /** The classes of its classifier nodes, in the order of their scores; null when there is not exactly one list. */
  readonly classes: Classes | null;
}

export type Classes = readonly string[] | readonly number[];

/**
 * What the outputs of a model mean: which of them are read, how they become predictions, and how predictions are
 * measured. Types: `Declared` is what a model may declare, `Bound` the same with every member filled in.
 */
export interface Task<Declared, Bound, Prediction> {
  readonly description: string;
  /** The metrics that measure it, the usual one first. */
  readonly metrics: readonly MetricName[];
  /** The members of a declaration beside `task`. */
  readonly declared: z.ZodType<Declared>;
  /** The schema of one prediction. */
  readonly prediction: z.ZodType<Prediction>;
  /**
   * Finds the outputs that are read.
   *
   * @param declared Undefined for a model that declares no task: then only what cannot be mistaken counts.
   * @returns Undefined when the model declares nothing and the task does not evidently fit.
   * @throws RangeError when the declaration does not fit the model, saying why.
   */
  bind(model: ModelFacts, declared?: Declared): Bound | undefined;
  /** The names of the outputs that `predict` reads. */
  outputs(bound: Bound): readonly string[];
  /**
   * Turns outputs into one prediction a row, ready for JSON.
   *
   * @throws AppError UNPROCESSABLE when an output does not have a value for each row.
   */
  predict(bound: Bound, outputs: Tensors, rows: number): readonly Prediction[];
}
