import { DuckDBInstance } from '@duckdb/node-api';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../shared/core/ids.ts';
import type { AddFile } from '../../../shared/formats/delta/log/actions.ts';
import type { DeltaColumn } from '../../../shared/formats/delta/schema.ts';
import { buildStats } from '../../../shared/formats/delta/stats/stats.ts';

/** A column of a test's table; values are texts or null (binary as hex). */
export interface SampleColumn extends DeltaColumn {
  readonly sqlType: string;
}
export type SampleRow = Readonly<Record<string, string | null>>;

export interface DataFile {
  readonly bytes: Uint8Array;
  readonly file: AddFile;
}

/**
 * Writes rows as a Parquet file for Delta readers: each column is cast to the exact type of the schema
 * (`BIGINT` for long, `DECIMAL(p,s)`, `TIMESTAMPTZ` for timestamp, which Parquet marks as UTC microseconds). SQL over the
 * same rows computes the statistics.
 */
export async function writeDataFile(
  folder: string,
  columns: readonly SampleColumn[],
  rows: readonly SampleRow[],
): Promise<DataFile> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const [source, target] = [join(folder, 'rows.jsonl'), join(folder, 'rows.parquet')];
  await writeFile(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const texts = columns.map(({ name }) => `${quote(name)}: 'VARCHAR'`).join(', ');
  const casts = columns.map(({ name, sqlType }) =>
    sqlType === 'BLOB' ? `unhex("${name}") AS "${name}"` : `CAST("${name}" AS ${sqlType}) AS "${name}"`,
  );
  await connection.run(`SET TimeZone = 'UTC'`);
  await connection.run(
    `CREATE TABLE t AS SELECT ${casts.join(', ')} FROM read_json(${quote(source)}, format = 'newline_delimited', columns = {${texts}})`,
  );
  await connection.run(`COPY t TO ${quote(target)} (FORMAT parquet, COMPRESSION zstd)`);
  const stats = [];
  for (const { name, type } of columns) {
    const result = await connection.runAndReadAll(
      `SELECT count(*) FILTER ("${name}" IS NULL)::INTEGER, min("${name}")::VARCHAR, max("${name}")::VARCHAR FROM t`,
    );
    const [nulls, min, max] = (result.getRows()[0] ?? []) as [number, string | null, string | null];
    stats.push({ name, type, nulls, ...(min === null || max === null ? {} : { min, max }) });
  }
  connection.closeSync();
  instance.closeSync();
  const bytes = await readFile(target);
  return {
    bytes,
    file: {
      path: `${sha256(bytes)}.parquet`,
      size: bytes.length,
      modificationTime: 1_790_000_000_000,
      dataChange: true,
      stats: buildStats({ rows: rows.length, columns: stats }),
    },
  };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
