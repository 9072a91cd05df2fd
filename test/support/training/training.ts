import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import type {
  ColumnBatch,
  ColumnRequest,
  TableColumn,
  TableReader,
} from '../../../shared/domains/training/table-reader.ts';

/** A directory that is removed after the test. */
export async function makeTempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes the result of a query as a Parquet file. */
export async function writeParquet(path: string, query: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(`COPY (${query}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export const flightsPath = fileURLToPath(
  new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
);

/** The columns that the main loop's model learns from. */
export const flightsSpec = {
  features: [
    { column: 'date', part: 'hourOfDay', kind: 'categorical' },
    { column: 'date', part: 'dayOfWeek', kind: 'categorical' },
    { column: 'distance', kind: 'numeric' },
    { column: 'origin', kind: 'categorical' },
    { column: 'destination', kind: 'categorical' },
  ],
  label: { column: 'delay', op: '>=', value: 15 },
  trainer: { name: 'logistic' },
} as const;

/** A table in memory. A text column has texts, every other one numbers (timestamps as epoch milliseconds). */
export function createTableReader(
  columns: readonly (TableColumn & { readonly values: readonly (string | number | null)[] })[],
  batchRows = 7,
): TableReader {
  const rows = columns[0]?.values.length ?? 0;
  return {
    inspect: async () => ({ rows, columns: columns.map(({ name, type, kind }) => ({ name, type, kind })) }),
    scan: async (_path, requests) => {
      const chosen = requests.map((request) => {
        const column = columns.find(({ name }) => name === request.name);
        if (column === undefined) throw new Error(`no column ${request.name}`);
        return { request, values: column.values, texts: dictionary(request, column.values) };
      });
      return {
        rows,
        categories: chosen.map(({ texts }) => texts),
        async *batches() {
          for (let firstRow = 0; firstRow < rows; firstRow += batchRows) {
            const count = Math.min(batchRows, rows - firstRow);
            yield {
              firstRow,
              rows: count,
              columns: chosen.map(({ values, texts }): ColumnBatch => {
                const slice = values.slice(firstRow, firstRow + count);
                return texts === null
                  ? { as: 'number', values: Float64Array.from(slice, (v) => (v === null ? NaN : Number(v))) }
                  : { as: 'category', codes: Int32Array.from(slice, (v) => texts.indexOf(String(v ?? ''))) };
              }),
            };
          }
        },
        close: () => {},
      };
    },
  };
}

function dictionary(request: ColumnRequest, values: readonly (string | number | null)[]): string[] | null {
  if (request.as !== 'category') return null;
  return [...new Set(values.filter((v) => v !== null && v !== '').map(String))].sort();
}
