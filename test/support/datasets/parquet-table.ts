import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Column, ColumnType } from '../../../shared/domains/datasets/schema/column.ts';
import { typeOf } from '../../../shared/adapters/duckdb/column-sql.ts';
import { quoteName, quoteText } from '../../../shared/adapters/duckdb/quote.ts';
import { openDuckDb } from '../../../shared/adapters/duckdb/session.ts';

/** Binary values as hexadecimal text, everything else as text that DuckDB casts. */
export type TestValue = string | number | bigint | boolean | null;

/** Writes a Parquet file into a folder of its own. Row groups have 2,048 rows, so that little data has many. */
export async function writeParquetFile(
  columns: readonly Pick<Column, 'name' | 'type'>[],
  rows: readonly (readonly TestValue[])[],
): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'parquet-')), 'data.parquet');
  using session = await openDuckDb({ threads: 1, memoryLimitMb: 256, allowedPaths: [path] });
  const { connection } = session;
  const declared = columns.map(({ name, type }) => `${quoteName(name)} ${typeOf(type)}`).join(', ');
  await connection.run(`CREATE TABLE t (${declared})`);
  for (let from = 0; from < rows.length; from += 5_000) {
    const values = rows
      .slice(from, from + 5_000)
      .map(
        (row) =>
          `(${row.map((value, index) => literal(value, columns[index]?.type ?? 'string')).join(', ')})`,
      );
    await connection.run(`INSERT INTO t VALUES ${values.join(', ')}`);
  }
  await connection.run(`COPY t TO ${quoteText(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  return path;
}

function literal(value: TestValue, type: ColumnType): string {
  if (value === null) return 'NULL';
  const text = Object.is(value, -0) ? '-0.0' : String(value);
  return type === 'binary' ? `unhex(${quoteText(text)})` : `${quoteText(text)}::${typeOf(type)}`;
}
