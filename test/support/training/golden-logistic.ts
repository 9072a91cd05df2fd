import { readFileSync } from 'node:fs';
import type { LogisticModel, TrainingTable } from '../../../shared/domains/training/entities.ts';
import { logistic } from '../../../shared/domains/training/trainers/logistic.ts';

interface GoldenRow {
  readonly distance: number | null;
  readonly load: number;
  readonly airport: string;
  readonly hour: number;
  readonly late: number;
}

interface EdgeRow {
  readonly distance: number | null;
  readonly load: number;
  readonly airport: string | null;
  readonly hour: number | null;
  readonly probability: number;
}

interface Golden {
  readonly params: { readonly l2: number; readonly minCategoryRows: number };
  readonly rows: readonly GoldenRow[];
  readonly intercept: number;
  readonly distance: { readonly centre: number; readonly weight: number; readonly missing: number };
  readonly load: { readonly centre: number; readonly weight: number };
  readonly airport: Readonly<Record<string, number>>;
  readonly hour: Readonly<Record<string, number>>;
  readonly probabilities: readonly number[];
  /** Missing and unseen values, which do not occur in training. */
  readonly edges: readonly EdgeRow[];
}

/** scikit-learn's results for a small data set; see test/golden/logistic/generate.py. */
export const golden = JSON.parse(
  readFileSync(new URL('../../golden/logistic/golden.json', import.meta.url), 'utf8'),
) as Golden;

export const allRows = (table: { readonly rows: number }): Int32Array =>
  Int32Array.from({ length: table.rows }, (_, i) => i);

export const noHooks = { threads: 1, onIteration: async () => {} };

export function goldenTable(): TrainingTable<'binary'> {
  const { rows } = golden;
  const airports = [...new Set(rows.map(({ airport }) => airport))].sort();
  return {
    rows: rows.length,
    labels: Uint8Array.from(rows, ({ late }) => late),
    features: [
      { kind: 'numeric', name: 'distance', values: Float32Array.from(rows, (row) => row.distance ?? NaN) },
      { kind: 'numeric', name: 'load', values: Float32Array.from(rows, (row) => row.load) },
      {
        kind: 'categorical',
        name: 'airport',
        codes: Int32Array.from(rows, (row) => airports.indexOf(row.airport)),
        keys: { type: 'string', values: airports },
      },
      {
        kind: 'categorical',
        name: 'date.hourOfDay',
        codes: Int32Array.from(rows, (row) => row.hour),
        keys: { type: 'int64', values: Array.from({ length: 32 }, (_, part) => part) },
      },
    ],
  };
}

export async function fitGolden(): Promise<LogisticModel> {
  const table = goldenTable();
  const params = { maxIterations: 50, tolerance: 1e-12, ...golden.params };
  return (await logistic.fit(table, allRows(table), params, noHooks)).model;
}

export const goldenSignature = {
  columns: [
    { name: 'distance', type: 'number' },
    { name: 'load', type: 'number' },
    { name: 'airport', type: 'string' },
    { name: 'date', type: 'timestamp' },
  ],
  inputs: [
    { name: 'distance', tensor: 'float32', column: 'distance' },
    { name: 'load', tensor: 'float32', column: 'load' },
    { name: 'airport', tensor: 'string', column: 'airport' },
    { name: 'date.hourOfDay', tensor: 'int64', column: 'date', part: 'hourOfDay' },
  ],
} as const;

/** The data set, and then the edge cases, as scoring requests with the probabilities that scikit-learn gives. */
export const goldenCases = {
  rows: [...golden.rows, ...golden.edges].map(({ distance, load, airport, hour }) => ({
    distance,
    load,
    airport,
    date: hour === null ? null : `2001-07-04T${String(hour).padStart(2, '0')}:30:00Z`,
  })),
  probabilities: [...golden.probabilities, ...golden.edges.map(({ probability }) => probability)],
};

export const goldenMetadata = { 'slipway.codeVersion': 'golden', 'slipway.dataset': 'golden/1' };
