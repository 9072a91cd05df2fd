import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** 3 million flights in the United States, January to June 2001: date, delay, distance, origin, destination. */
const allFlights = join(import.meta.dirname, '../../node_modules/vega-datasets/data/flights-3m.parquet');

/** Writes the flights of one month of 2001 (1–6) to a Parquet file. */
export async function writeMonth(month: number, file: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(
      `COPY (SELECT * FROM read_parquet($source) WHERE date >= make_date(2001, $month, 1) AND date < make_date(2001, $next, 1))
       TO '${file.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`,
      { source: allFlights, month, next: month + 1 },
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
