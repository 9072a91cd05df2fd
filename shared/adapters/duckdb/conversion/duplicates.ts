import type { DuckDBConnection } from '@duckdb/node-api';
import type { LocalDataFile } from '../../../domains/datasets/ingestion/staging/local-data-file.ts';
import type { Column } from '../../../domains/datasets/schema/column.ts';
import type { DuplicateRow } from '../../../domains/datasets/ingestion/staging/table-converter.ts';
import { translateDuckDbError } from '../errors.ts';
import { interruptOn } from '../interrupt.ts';
import { nameNotFinite } from '../json-sql.ts';
import { quoteName, quoteText } from '../quote.ts';
import { readChunks } from '../read-chunks.ts';
import { runQuery } from '../run-query.ts';
import { writeDataFile } from './data-file.ts';
import { inspectParquetColumns } from './parquet-columns.ts';

/** Finds rows that equal an earlier one in some columns. Holds only those columns in memory, or spills them. */
export async function* findDuplicates(
  connection: DuckDBConnection,
  files: readonly string[],
  columns: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly DuplicateRow[]> {
  if (files.length === 0) return;
  const names = columns.map(quoteName);
  const parts = files.map((path, index) => {
    const read = `read_parquet(${quoteText(path)}, file_row_number = true)`;
    return `SELECT ${index} AS "slipway file", file_row_number AS "slipway row", ${names.join(', ')} FROM ${read}`;
  });
  const known = names.map((name) => `${name} IS NOT NULL`).join(' AND ');
  const order = '"slipway file", "slipway row"';
  const query = `SELECT "slipway file"::INTEGER, "slipway row"::DOUBLE FROM (
      SELECT *, row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${order}) AS "slipway copy"
      FROM (${parts.join(' UNION ALL ')}) WHERE ${known}
    ) WHERE "slipway copy" > 1 ORDER BY ${order}`;
  using _interrupt = interruptOn(signal, connection);
  try {
    const result = await connection.stream(query);
    for await (const chunk of readChunks(result, signal))
      yield (chunk.getRows() as [number, number][]).map(([file, row]) => ({ file, row }));
  } catch (error) {
    throw translateDuckDbError(error);
  }
}

export async function removeRows(
  connection: DuckDBConnection,
  path: string,
  rows: readonly number[],
  target: string,
  signal: AbortSignal,
): Promise<{ readonly file?: LocalDataFile; readonly removed: readonly string[] }> {
  const columns: readonly Column[] = await inspectParquetColumns(connection, path, signal);
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  const source = `read_parquet(${quoteText(path)}, file_row_number = true)`;
  try {
    await runQuery(connection, 'CREATE OR REPLACE TEMP TABLE doomed (n BIGINT)', signal);
    for (let start = 0; start < rows.length; start += 10_000) {
      const values = rows.slice(start, start + 10_000).map((row) => `(${row})`);
      await runQuery(connection, `INSERT INTO doomed VALUES ${values.join(', ')}`, signal);
    }
    const fields = columns.map(({ name }) => `${quoteText(name)}, ${quoteName(name)}`).join(', ');
    const gone = await runQuery(
      connection,
      `SELECT ${nameNotFinite(`json_object(${fields})::VARCHAR`)} FROM ${source} WHERE file_row_number IN (SELECT n FROM doomed) ORDER BY file_row_number`,
      signal,
    );
    const kept = `SELECT ${names} FROM ${source} WHERE file_row_number NOT IN (SELECT n FROM doomed) ORDER BY file_row_number`;
    const file = await writeDataFile(connection, kept, target, columns, signal);
    return { removed: gone.getRows().map(([raw]) => String(raw)), ...(file ? { file } : {}) };
  } finally {
    await connection.run('DROP TABLE IF EXISTS doomed');
  }
}
