/**
 * The peer of ingestion: DuckDB's own COPY from a CSV or Parquet file to zstd Parquet, with its defaults.
 * `node ingest-copy-child.ts <from> <to>` prints seconds and peak memory.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { readPeakRssMb } from './ingest-measure.ts';

const [from = '', to = ''] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
const source = from.endsWith('.parquet') ? `read_parquet(${quote(from)})` : `read_csv(${quote(from)})`;
const startedAt = performance.now();
await connection.run(`COPY (SELECT * FROM ${source}) TO ${quote(to)} (FORMAT parquet, COMPRESSION zstd)`);
const seconds = (performance.now() - startedAt) / 1000;
console.log(JSON.stringify({ seconds, peakRssMb: readPeakRssMb() }));
connection.closeSync();
instance.closeSync();
