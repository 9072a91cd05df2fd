import type { PredictionKind, Truths } from '../../../core/stats/metrics/metric.ts';
import type { Label, Targets } from '../entities.ts';
import type { ColumnBatch, ColumnRequest } from '../table-reader.ts';

/** What a training learns to predict, being read. */
export interface TargetColumn<Kind extends PredictionKind> {
  readonly target: Targets[Kind];
  fill(batch: ColumnBatch, firstRow: number): void;
}

/** How the label of one kind of prediction is read, split and checked. */
export interface TargetKind<Kind extends PredictionKind> {
  /** How the label's column is read. */
  readonly as: ColumnRequest['as'];
  /** The outputs of its models, which no feature may be named like. */
  readonly outputNames: readonly string[];
  /** @returns What is wrong with a label of this kind, and the remedy. */
  checkLabel(label: Label): string | undefined;
  /** @param texts The distinct texts of a column that is read as categories. */
  create(rows: number, label: Label, texts: readonly string[]): TargetColumn<Kind>;
  isLabelled(target: Targets[Kind], row: number): boolean;
  /** What is true of the given rows, in their order. */
  pick(target: Targets[Kind], rows: Int32Array): Truths[Kind];
  /**
   * Checks that there is something to learn from, or to measure by.
   *
   * @param which For the error: `training` or `holdout`.
   * @throws AppError UNPROCESSABLE
   */
  check(truth: Truths[Kind], which: 'training' | 'holdout'): void;
}
