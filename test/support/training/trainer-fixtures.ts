import type { PredictionKind } from '../../../shared/core/stats/metrics/metric.ts';
import { type TrainerName, trainers } from '../../../shared/domains/training/catalog.ts';
import type { TrainingSpec } from '../../../shared/domains/training/entities.ts';
import type { AnyTrainer } from '../../../shared/domains/training/trainer.ts';
import type { TableReader } from '../../../shared/domains/training/table-reader.ts';
import { createTableReader } from './training.ts';

/** What the suite of every trainer (test/unit/training/trainers.test.ts) cannot derive. */
interface TrainerFixture {
  /** Parameters that fit 400 rows in well under a second, in several iterations if any. Default: none. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Parameters that its schema refuses, besides unknown ones and those of another type. */
  readonly refused?: readonly Readonly<Record<string, unknown>>[];
}

/** A trainer without a fixture is tested with its defaults. */
export const trainerFixtures: { readonly [Name in TrainerName]?: TrainerFixture } = {
  logistic: {
    params: { minCategoryRows: 2 },
    refused: [{ l2: 0 }, { maxIterations: 1.5 }, { tolerance: 1 }, { minCategoryRows: 0 }],
  },
};

/** The label that each kind of prediction learns from the columns below. */
const labels = {
  binary: { column: 'amount', op: '>=', value: 10 },
  multiclass: { column: 'segment' },
  regression: { column: 'amount' },
} as const satisfies { [Kind in PredictionKind]: TrainingSpec['label'] };

const features: TrainingSpec['features'] = [
  { column: 'size', kind: 'numeric' },
  { column: 'constant', kind: 'numeric' },
  { column: 'place', kind: 'categorical' },
  { column: 'always', kind: 'categorical' },
  { column: 'moment', part: 'hourOfDay', kind: 'categorical' },
  { column: 'moment', part: 'month', kind: 'numeric' },
];

/** A spec over the columns below, with features that the trainer can learn from. */
export function createSpecFor(
  name: TrainerName,
  params: Readonly<Record<string, unknown>> = trainerFixtures[name]?.params ?? {},
): TrainingSpec {
  const { task, featureKinds }: AnyTrainer = trainers[name];
  return {
    features: features.filter(({ kind }) => featureKinds?.includes(kind) ?? true),
    label: labels[task],
    holdoutShare: 0.2,
    seed: 0,
    trainer: { name, params },
  };
}

/** Rows to learn from; those after them have values that training never sees. */
export const learnableRows = 400;

interface Row {
  readonly size: number | null;
  readonly constant: number | null;
  readonly place: string | null;
  readonly always: string | null;
  readonly moment: number | null;
  readonly amount: number | null;
  readonly segment: string | null;
}

const hourMs = 3_600_000;
const places = ['ATL', 'ORD', 'SFO', 'Zürich'];

/** Computed from integers by a fixed formula, with gaps in every column that allows them. */
function createRow(i: number): Row {
  const noise = (i * 7919) % 13;
  const size = i % 17 === 0 ? null : (i * 31) % 100;
  const place = i % 19 === 0 ? null : places[(i * 5) % 4]!;
  const amount = (size ?? 50) / 10 + (place === 'ORD' ? 4 : 0) + noise / 2;
  return {
    size,
    constant: 7,
    place,
    always: 'same',
    moment: i % 23 === 0 ? null : i * 5 * hourMs,
    amount: i % 29 === 0 ? null : amount,
    segment:
      i % 31 === 0 ? null : (['small', 'middle', 'large'][Math.min(2, Math.floor(amount / 6))] ?? null),
  };
}

const usual: Row = { ...createRow(1), size: 20 };
const rows: readonly Row[] = [
  ...Array.from({ length: learnableRows }, (_, i) => createRow(i)),
  // Unseen values, and nulls in columns that had none.
  usual,
  { ...usual, size: null, place: null, moment: null },
  { ...usual, constant: null, always: null },
  { ...usual, place: 'nowhere', always: 'other', moment: 24 * 40 * hourMs },
  { ...usual, size: 3.4028234663852886e38 },
  { ...usual, size: -1e30, constant: 1e30 },
];

const columns = [
  ['size', 'float'],
  ['constant', 'float'],
  ['place', 'string'],
  ['always', 'string'],
  ['moment', 'timestamp'],
  ['amount', 'float'],
  ['segment', 'string'],
] as const;

/** The rows as a table to train on. */
export const trainerTable = createTable(rows);
/** The rows to learn from, as a table without the others. */
export const learnableTable = createTable(rows.slice(0, learnableRows));

function createTable(some: readonly Row[]): TableReader {
  return createTableReader(
    columns.map(([name, kind]) => ({ name, kind, type: kind, values: some.map((row) => row[name]) })),
  );
}

/** The rows as scoring requests have them, with the columns of a spec. */
export function createRequests({ features }: TrainingSpec): readonly Readonly<Record<string, unknown>>[] {
  return rows.map((row) => {
    const moment = row.moment === null ? null : new Date(row.moment).toISOString();
    const values: Readonly<Record<string, unknown>> = { ...row, moment };
    return Object.fromEntries(features.map(({ column }) => [column, values[column]]));
  });
}

/** The rows as a query, for the training thread. */
export const trainerQuery = `SELECT size::DOUBLE AS size, constant::DOUBLE AS constant, place, always,
    epoch_ms(moment::BIGINT) AS moment, amount::DOUBLE AS amount, segment
  FROM (SELECT unnest(${toSql(rows)}, recursive := true))`;

function toSql(values: readonly Row[]): string {
  const show = (value: string | number | null) =>
    value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : String(value);
  return `[${values.map((row) => `{${columns.map(([name]) => `${name}: ${show(row[name])}`).join(', ')}}`).join(', ')}]`;
}
