import type { z } from 'zod';
import type { PredictionKind, Predictions } from '../../core/stats/metrics/metric.ts';
import type { Feature, FitReport, TrainedModel, TrainingTable } from './entities.ts';

export interface FitProgress {
  /** 1 is the first. */
  readonly iteration: number;
  /** The most there can be; the fit may stop earlier. */
  readonly maxIterations: number;
  /** As in `FitReport`, so far. */
  readonly objective: number;
}

export interface FitHooks {
  /** How many threads the fit may use. Their number must not change a bit of the model. */
  readonly threads: number;
  /**
   * Awaited after each iteration. It reports progress, and throws to cancel: the fit must stop there. A trainer calls
   * it at least once a second; one without iterations calls it once.
   */
  readonly onIteration: (progress: FitProgress) => Promise<void>;
}

/** What a trainer's `fit` returns. */
export interface Fitted<Model> {
  readonly model: Model;
  readonly report: FitReport;
}

/**
 * One way of making a model. A trainer is pure: the same table, rows and parameters give the same model to the
 * last bit, on every machine, at any time and with any number of threads. See docs/adding-a-trainer.md.
 */
export interface Trainer<Kind extends PredictionKind, Params, Model> {
  /** The task that its models serve. */
  readonly task: Kind;
  readonly description: string;
  /** The kinds of features that it can learn from; all of them unless given. A spec with another is refused. */
  readonly featureKinds?: readonly Feature['kind'][];
  /** Strict, and every parameter has a default. */
  readonly params: z.ZodType<Params>;
  /**
   * @param rows Indices of the rows to learn from, ascending, each with a label.
   * @throws AppError UNPROCESSABLE when the data cannot be learnt from, saying why.
   */
  readonly fit: (
    table: TrainingTable<Kind>,
    rows: Int32Array,
    params: Params,
    hooks: FitHooks,
  ) => Promise<Fitted<Model>>;
  /** What the written model predicts for each of `rows`: the bits that ONNX Runtime gives, where it can. */
  readonly predict: (model: Model, table: TrainingTable<Kind>, rows: Int32Array) => Predictions[Kind];
}

/** A trainer whose parameter type has been erased: parameters come from its own schema. */
export interface AnyTrainer<Kind extends PredictionKind = PredictionKind, Model = TrainedModel> {
  readonly task: Kind;
  readonly description: string;
  readonly featureKinds?: readonly Feature['kind'][];
  readonly params: z.ZodType;
  // Methods, because TypeScript checks their parameters in both directions.
  fit(table: TrainingTable<Kind>, rows: Int32Array, params: unknown, hooks: FitHooks): Promise<Fitted<Model>>;
  predict(model: Model, table: TrainingTable<Kind>, rows: Int32Array): Predictions[Kind];
}
