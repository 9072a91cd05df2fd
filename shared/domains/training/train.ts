import { throwIfCancelled } from '../../core/async/cancelled.ts';
import type { PredictionKind } from '../../core/stats/metrics/metric.ts';
import type { Signature } from '../serving/signature.ts';
import { evaluate, type MetricsOf } from '../serving/tasks/catalog.ts';
import { findTrainer } from './catalog.ts';
import type { FitReport, TrainedModel, TrainingSpec } from './entities.ts';
import { loadTable } from './load-table.ts';
import { deriveSignature } from './signature.ts';
import { splitRows } from './split.ts';
import type { TableReader } from './table-reader.ts';
import { targetKinds } from './targets/catalog.ts';
import type { TargetKind } from './targets/target.ts';
import type { AnyTrainer, FitProgress } from './trainer.ts';

export type TrainingProgress =
  | { readonly phase: 'reading'; readonly rows: number; readonly totalRows: number }
  | ({ readonly phase: 'fitting' } & FitProgress)
  | { readonly phase: 'evaluating'; readonly rows: number };

export interface TrainHooks {
  /** How many threads the fit may use. */
  readonly threads: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly onProgress: (progress: TrainingProgress) => void;
  /** Awaited between iterations, so that an abort can arrive. */
  readonly yield: () => Promise<void>;
  readonly signal: AbortSignal;
}

export interface TrainingReport<Kind extends PredictionKind = PredictionKind> {
  /** What the model was trained with, every default filled in. */
  readonly spec: TrainingSpec;
  readonly signature: Signature;
  readonly rows: { readonly train: number; readonly holdout: number; readonly unlabelled: number };
  readonly fit: FitReport;
  /** Measured on the holdout rows, with the very model that is written. NaN where those have no value. */
  readonly metrics: MetricsOf<Kind>;
  readonly phases: { readonly readMs: number; readonly fitMs: number; readonly evaluateMs: number };
}

export interface Trained<Kind extends PredictionKind, Model> {
  readonly model: Model;
  readonly report: TrainingReport<Kind>;
}

/**
 * Reads a table, splits it, fits the trainer that the spec names and measures the model on the holdout rows.
 *
 * @param spec As `parseTrainingSpec` gives it.
 * @throws AppError as `TableReader` does; UNPROCESSABLE when there is nothing to learn (no rows, one class, a
 *   feature without values); CANCELLED on abort.
 */
export function train(
  reader: TableReader,
  paths: readonly string[],
  spec: TrainingSpec,
  hooks: TrainHooks,
): Promise<Trained<PredictionKind, TrainedModel>> {
  return trainWith(findTrainer(spec.trainer.name), reader, paths, spec, hooks);
}

/**
 * As `train`, with the given trainer.
 *
 * @param spec Its `trainer.params` are parsed by that trainer's schema.
 */
export async function trainWith<Kind extends PredictionKind, Model>(
  trainer: AnyTrainer<Kind, Model>,
  reader: TableReader,
  paths: readonly string[],
  spec: TrainingSpec,
  hooks: TrainHooks,
): Promise<Trained<Kind, Model>> {
  const { now, onProgress, signal } = hooks;
  const { task } = trainer;
  const kind: TargetKind<Kind> = targetKinds[task];
  const startMs = now();
  const signature = deriveSignature(spec.features, await reader.inspect(paths, signal));
  const table = await loadTable(reader, paths, spec, task, {
    signal,
    onRows: (rows, totalRows) => onProgress({ phase: 'reading', rows, totalRows }),
  });
  const split = splitRows(table.rows, (row) => kind.isLabelled(table, row), spec.holdoutShare, spec.seed);
  kind.check(kind.pick(table, split.train), 'training');
  const truth = kind.pick(table, split.holdout);
  kind.check(truth, 'holdout');
  const readMs = now();
  const { model, report: fit } = await trainer.fit(table, split.train, spec.trainer.params, {
    threads: hooks.threads,
    onIteration: async (progress) => {
      onProgress({ phase: 'fitting', ...progress });
      await hooks.yield();
      throwIfCancelled(signal, 'The training');
    },
  });
  const fitMs = now();
  onProgress({ phase: 'evaluating', rows: split.holdout.length });
  const predictions = trainer.predict(model, table, split.holdout);
  const report: TrainingReport<Kind> = {
    spec,
    signature,
    rows: { train: split.train.length, holdout: split.holdout.length, unlabelled: split.unlabelledRows },
    fit,
    metrics: evaluate(task, { ...predictions, ...truth }),
    phases: { readMs: readMs - startMs, fitMs: fitMs - readMs, evaluateMs: now() - fitMs },
  };
  return { model, report };
}
