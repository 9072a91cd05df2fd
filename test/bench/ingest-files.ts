import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { countDirty, writeGeneratedCsv } from '../support/datasets/generated-table.ts';

const seed = 5;
const million = 1_000_000;
/** A bad row must not exceed the default threshold of 1%. */
const dirtyEvery = 101;
const flightsParquet = join(import.meta.dirname, '../../node_modules/vega-datasets/data/flights-3m.parquet');

export interface BenchFiles {
  /** 1M rows of 20 columns. */
  readonly clean: string;
  /** The same with one row in 101 dirty. */
  readonly dirty: string;
  readonly dirtyRows: number;
  /** The same without its row 500,000. */
  readonly shorter: string;
  /** Two tables, each without a different hundredth of the rows, so that they share no data file. */
  readonly compared: readonly [string, string];
  readonly comparedRows: number;
  readonly flightsCsv: string;
  readonly flightsParquet: string;
}

export async function writeBenchFiles(folder: string): Promise<BenchFiles> {
  const dirty = { rows: million, seed, dirtyEvery };
  const files = {
    clean: join(folder, 'clean.csv'),
    dirty: join(folder, 'dirty.csv'),
    dirtyRows: countDirty(dirty),
    shorter: join(folder, 'shorter.csv'),
    compared: [join(folder, 'compared-0.csv'), join(folder, 'compared-1.csv')] as const,
    comparedRows: (2 * million) / 100,
    flightsCsv: join(folder, 'flights.csv'),
    flightsParquet,
  };
  await writeGeneratedCsv(files.clean, { rows: million, seed });
  await writeGeneratedCsv(files.dirty, dirty);
  await writeGeneratedCsv(files.shorter, { rows: million, seed, without: new Set([million / 2]) });
  for (const [index, file] of files.compared.entries()) {
    const hundredths = Array.from({ length: million / 100 }, (_, row) => row * 100 + index * 50);
    await writeGeneratedCsv(file, { rows: million, seed, without: new Set(hundredths) });
  }
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const from = `read_parquet('${flightsParquet.replaceAll("'", "''")}')`;
  await connection.run(
    `COPY (SELECT * FROM ${from}) TO '${files.flightsCsv.replaceAll("'", "''")}' (FORMAT csv)`,
  );
  connection.closeSync();
  instance.closeSync();
  return files;
}

/** 5M rows, 1.2 GB. */
export async function writeHugeCsv(folder: string): Promise<string> {
  const file = join(folder, 'huge.csv');
  await writeGeneratedCsv(file, { rows: 5 * million, seed });
  return file;
}
