import { AppError } from '../../core/errors.ts';
import type { Signature } from '../serving/signature.ts';
import { findTrainer } from './catalog.ts';
import type { FitReport, HoldoutMetrics, TrainedModel, TrainingSpec } from './entities.ts';
import { evaluate } from './evaluate.ts';
import { loadTable } from './load-table.ts';
import { deriveSignature } from './signature.ts';
import { splitRows } from './split.ts';
import type { TableReader } from './table-reader.ts';

export type TrainingProgress =
  | { readonly phase: 'reading'; readonly rows: number; readonly totalRows: number }
  | {
      readonly phase: 'fitting';
      readonly iteration: number;
      readonly maxIterations: number;
      readonly objective: number;
    }
  | { readonly phase: 'evaluating'; readonly rows: number };

export interface TrainHooks {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly onProgress: (progress: TrainingProgress) => void;
  /** Awaited between iterations, so that an abort can arrive. */
  readonly breathe: () => Promise<void>;
  readonly signal: AbortSignal;
}

export interface TrainingReport {
  /** What the model was trained with, every default filled in. */
  readonly spec: TrainingSpec;
  readonly signature: Signature;
  readonly rows: { readonly train: number; readonly holdout: number; readonly unlabelled: number };
  readonly fit: FitReport;
  readonly metrics: HoldoutMetrics;
  readonly phases: { readonly readMs: number; readonly fitMs: number; readonly evaluateMs: number };
}

/**
 * Reads a table, splits it, fits the trainer that the spec names and measures the model on the holdout rows.
 *
 * @param spec As `parseTrainingSpec` gives it.
 * @throws AppError as `TableReader` does; UNPROCESSABLE when there is nothing to learn (no rows, one class, a
 *   feature without values); CANCELLED on abort.
 */
export async function train(
  reader: TableReader,
  paths: readonly string[],
  spec: TrainingSpec,
  hooks: TrainHooks,
): Promise<{ readonly model: TrainedModel; readonly report: TrainingReport }> {
  const { now, onProgress, signal } = hooks;
  const trainer = findTrainer(spec.trainer.name);
  const startMs = now();
  const signature = deriveSignature(spec.features, await reader.inspect(paths, signal));
  const table = await loadTable(reader, paths, spec, {
    signal,
    onRows: (rows, totalRows) => onProgress({ phase: 'reading', rows, totalRows }),
  });
  const split = splitRows(table, spec.holdoutShare, spec.seed);
  checkBothClasses(pickLabels(table.labels, split.train), 'training');
  const holdoutLabels = pickLabels(table.labels, split.holdout);
  checkBothClasses(holdoutLabels, 'holdout');
  const readMs = now();
  const { model, report: fit } = await trainer.fit(table, split.train, spec.trainer.params, {
    onIteration: async (progress) => {
      onProgress({ phase: 'fitting', ...progress });
      await hooks.breathe();
      if (signal.aborted) throw new AppError('CANCELLED', 'The training was cancelled.');
    },
  });
  const fitMs = now();
  onProgress({ phase: 'evaluating', rows: split.holdout.length });
  const metrics = evaluate(trainer.predict(model, table, split.holdout), holdoutLabels);
  const report: TrainingReport = {
    spec,
    signature,
    rows: { train: split.train.length, holdout: split.holdout.length, unlabelled: split.unlabelledRows },
    fit,
    metrics,
    phases: { readMs: readMs - startMs, fitMs: fitMs - readMs, evaluateMs: now() - fitMs },
  };
  return { model, report };
}

function pickLabels(labels: Uint8Array, rows: Int32Array): Uint8Array {
  return Uint8Array.from(rows, (row) => labels[row]!);
}

function checkBothClasses(labels: Uint8Array, which: string): void {
  if (labels.includes(0) && labels.includes(1)) return;
  const what = labels.length === 0 ? 'there are none' : `all ${labels.length} have the same label`;
  throw new AppError('UNPROCESSABLE', `The ${which} rows cannot be used: ${what}.`, {
    rows: labels.length,
  });
}
