import type { PredictionKind } from '../../../shared/core/stats/metrics/metric.ts';
import type { TrainerName } from '../../../shared/domains/training/catalog.ts';
import type { TrainingSpec } from '../../../shared/domains/training/entities.ts';
import { createTableReader } from './training.ts';

/** What a trainer brings to the suite that every trainer must pass (test/unit/training/trainers.test.ts). */
interface TrainerFixture {
  /** Parameters with which it fits 400 rows in well under a second, in several iterations if it has any. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Parameters that its schema refuses, beside unknown ones. */
  readonly refused: readonly [Readonly<Record<string, unknown>>, ...Readonly<Record<string, unknown>>[]];
}

/** One for each trainer: the compiler demands it. */
export const trainerFixtures: { readonly [Name in TrainerName]: TrainerFixture } = {
  logistic: {
    params: { minCategoryRows: 2 },
    refused: [{ l2: 0 }, { l2: 'much' }, { maxIterations: 1.5 }, { tolerance: 1 }, { minCategoryRows: 0 }],
  },
};

/** The label that each kind of prediction learns from the columns below. */
const labels = {
  binary: { column: 'amount', op: '>=', value: 10 },
  multiclass: { column: 'segment' },
  regression: { column: 'amount' },
} as const satisfies { [Kind in PredictionKind]: TrainingSpec['label'] };

/** A spec over the columns below, for a trainer of one kind. */
export function createSpecFor(kind: PredictionKind, trainer: TrainingSpec['trainer']): TrainingSpec {
  return {
    features: [
      { column: 'size', kind: 'numeric' },
      { column: 'constant', kind: 'numeric' },
      { column: 'place', kind: 'categorical' },
      { column: 'always', kind: 'categorical' },
      { column: 'moment', part: 'hourOfDay', kind: 'categorical' },
      { column: 'moment', part: 'month', kind: 'numeric' },
    ],
    label: labels[kind],
    holdoutShare: 0.2,
    seed: 0,
    trainer,
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

/** Made of whole numbers by a fixed formula, with gaps in every column that may have some. */
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
  // What training never saw, and what was missing nowhere.
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
export const trainerTable = createTableReader(
  columns.map(([name, kind]) => ({ name, kind, type: kind, values: rows.map((row) => row[name]) })),
);

/** The rows as scoring requests have them. */
export const trainerRequests = rows.map(({ size, constant, place, always, moment }) => ({
  size,
  constant,
  place,
  always,
  moment: moment === null ? null : new Date(moment).toISOString(),
}));

/** The rows as a query, for the training thread. */
export const trainerQuery = `SELECT size::DOUBLE AS size, constant::DOUBLE AS constant, place, always,
    epoch_ms(moment::BIGINT) AS moment, amount::DOUBLE AS amount, segment
  FROM (SELECT unnest(${toSql(rows)}, recursive := true))`;

function toSql(values: readonly Row[]): string {
  const show = (value: string | number | null) =>
    value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : String(value);
  return `[${values.map((row) => `{${columns.map(([name]) => `${name}: ${show(row[name])}`).join(', ')}}`).join(', ')}]`;
}
