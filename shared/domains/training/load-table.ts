import { AppError } from '../../core/errors.ts';
import type { PredictionKind } from '../../core/stats/metrics/metric.ts';
import { partOfTimestamp } from '../../core/timestamps.ts';
import {
  featureName,
  type Feature,
  type FeatureColumn,
  type TrainingSpec,
  type TrainingTable,
} from './entities.ts';
import type { ColumnBatch, ColumnRequest, TableReader, TableScan } from './table-reader.ts';
import { targetKinds } from './targets/catalog.ts';
import type { TargetColumn, TargetKind } from './targets/target.ts';

/** 4 bytes each: the memory that one training may use. */
const maxCells = 200_000_000;

interface LoadOptions {
  readonly signal?: AbortSignal;
  readonly onRows?: (rows: number, totalRows: number) => void;
}

/**
 * Reads the columns that a spec needs, derives its features and keeps them as float32 numbers and category codes.
 *
 * @param task What the label is read for.
 * @throws AppError as `TableReader` does, and UNPROCESSABLE for an empty table, one too large to train on, and
 *   numbers that float32 cannot hold.
 */
export async function loadTable<Kind extends PredictionKind>(
  reader: TableReader,
  paths: readonly string[],
  spec: TrainingSpec,
  task: Kind,
  { signal, onRows }: LoadOptions = {},
): Promise<TrainingTable<Kind>> {
  const kind: TargetKind<Kind> = targetKinds[task];
  const requests = [...spec.features.map(requestFor), { name: spec.label.column, as: kind.as }];
  const scan = await reader.scan(paths, requests, signal);
  try {
    if (scan.rows === 0) throw new AppError('UNPROCESSABLE', 'The table has no rows to train on.');
    if (scan.rows * spec.features.length > maxCells)
      throw new AppError(
        'UNPROCESSABLE',
        `The table has ${scan.rows} rows and the spec ${spec.features.length} features: a training holds at most ${maxCells} cells in memory.`,
        { rows: scan.rows, features: spec.features.length, maxCells },
      );
    const texts = scan.categories[spec.features.length] ?? [];
    return await fillTable(scan, spec, kind.create(scan.rows, spec.label, texts), onRows);
  } finally {
    scan.close();
  }
}

function requestFor(feature: Feature): ColumnRequest {
  if (feature.part !== undefined) return { name: feature.column, as: 'timestamp' };
  return { name: feature.column, as: feature.kind === 'numeric' ? 'number' : 'category' };
}

async function fillTable<Kind extends PredictionKind>(
  scan: TableScan,
  spec: TrainingSpec,
  label: TargetColumn<Kind>,
  onRows: LoadOptions['onRows'],
): Promise<TrainingTable<Kind>> {
  const features = spec.features.map((feature, index) =>
    createColumn(feature, scan.rows, scan.categories[index] ?? []),
  );
  for await (const batch of scan.batches()) {
    for (const [index, feature] of spec.features.entries())
      fillColumn(features[index]!, feature, batch.columns[index]!, batch.firstRow);
    label.fill(batch.columns[features.length]!, batch.firstRow);
    onRows?.(batch.firstRow + batch.rows, scan.rows);
  }
  return { ...label.target, rows: scan.rows, features };
}

function createColumn(feature: Feature, rows: number, texts: readonly string[]): FeatureColumn {
  const name = featureName(feature);
  if (feature.kind === 'numeric') return { kind: 'numeric', name, values: new Float32Array(rows) };
  const keys =
    feature.part === undefined
      ? ({ type: 'string', values: texts } as const)
      : // Every part is below 32, so that a part is its own code.
        ({ type: 'int64', values: Array.from({ length: 32 }, (_, part) => part) } as const);
  return { kind: 'categorical', name, codes: new Int32Array(rows), keys };
}

function fillColumn(column: FeatureColumn, feature: Feature, batch: ColumnBatch, firstRow: number): void {
  if (batch.as === 'category') {
    if (column.kind === 'categorical') column.codes.set(batch.codes, firstRow);
    return;
  }
  for (const [index, value] of batch.values.entries()) {
    const row = firstRow + index;
    const number = feature.part === undefined ? value : partOfTimestamp(value, feature.part);
    if (column.kind === 'categorical') column.codes[row] = Number.isNaN(number) ? -1 : number;
    else column.values[row] = toFloat32(number, feature.column, row);
  }
}

/** Rounds as the model's float32 inputs will, so that training sees what scoring sees. */
function toFloat32(value: number, column: string, row: number): number {
  const rounded = Math.fround(value);
  if (Math.abs(rounded) === Infinity)
    throw new AppError(
      'UNPROCESSABLE',
      `Column "${column}" holds ${value} in row ${row}: it is infinite or beyond what float32 can hold.`,
      { column, row },
    );
  return rounded;
}
