import type { z } from 'zod';
import type { FitReport, TrainedModel, TrainingTable } from './entities.ts';

/** What an iterative trainer tells while it works. */
interface FitProgress {
  readonly iteration: number;
  /** The most there can be; it may stop earlier. */
  readonly maxIterations: number;
  readonly objective: number;
}

export interface FitHooks {
  /** Called between iterations and awaited: the one place where a caller sees progress and may stop the fit by
   *  throwing. A trainer must call it at least every second or so. */
  readonly onIteration: (progress: FitProgress) => Promise<void>;
}

/**
 * One way of making a model. A trainer is pure: the same table, rows and parameters give the same model to the
 * last bit, on every machine, whatever the time and the threads. See docs/adding-a-trainer.md.
 */
export interface Trainer<Params, Model extends TrainedModel> {
  readonly description: string;
  readonly params: z.ZodType<Params>;
  /**
   * @param rows Indices of the rows to learn from, ascending, none unlabelled.
   * @throws AppError UNPROCESSABLE when the data cannot be learnt from, saying why.
   */
  fit(
    table: TrainingTable,
    rows: Int32Array,
    params: Params,
    hooks: FitHooks,
  ): Promise<{ readonly model: Model; readonly report: FitReport }>;
  /** The probability of a positive label for each of `rows`, as the model written to ONNX will give it. */
  predict(model: Model, table: TrainingTable, rows: Int32Array): Float64Array;
}
