import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { typeOf } from '../../../shared/adapters/duckdb/column-sql.ts';
import { quoteName, quoteText } from '../../../shared/adapters/duckdb/quote.ts';
import { type DuckDbSession, openDuckDb } from '../../../shared/adapters/duckdb/session.ts';
import type { Column, ColumnType } from '../../../shared/domains/datasets/schema/column.ts';

/** Binary values as hexadecimal text, everything else as text that DuckDB casts. */
export type TestValue = string | number | bigint | boolean | null;

/** From this size on, DuckDB reads a CSV file faster than it parses an INSERT. */
const manyRows = 1_000;

let opened: Promise<{ readonly folder: string; readonly session: DuckDbSession }> | undefined;
let files = 0;

afterAll(async () => {
  if (!opened) return;
  const { folder, session } = await opened;
  session.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Writes a Parquet file that is removed after the test file. Row groups have 2,048 rows, so that small tables have
 * several.
 */
export async function writeParquetFile(
  columns: readonly Pick<Column, 'name' | 'type'>[],
  rows: readonly (readonly TestValue[])[],
): Promise<string> {
  const { folder, session } = await (opened ??= open());
  files += 1;
  const path = join(folder, `${files}.parquet`);
  const table = `t${files}`;
  const run = (sql: string) => session.connection.run(sql);
  const declared = columns.map(({ name, type }) => `${quoteName(name)} ${typeOf(type)}`).join(', ');
  await run(`CREATE TABLE ${table} (${declared})`);
  if (rows.length > manyRows) await run(`INSERT INTO ${table} ${selectCsv(`${path}.csv`, columns, rows)}`);
  else if (rows.length > 0) {
    const values = rows.map((row) => row.map((value, index) => literal(value, columns[index]!.type)));
    await run(`INSERT INTO ${table} VALUES ${values.map((row) => `(${row.join(', ')})`).join(', ')}`);
  }
  await run(`COPY ${table} TO ${quoteText(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  await run(`DROP TABLE ${table}`);
  return path;
}

async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'parquet-'));
  const limits = { threads: 1, memoryLimitMb: 256 };
  return { folder, session: await openDuckDb({ ...limits, allowedPaths: [], allowedDirectories: [folder] }) };
}

function literal(value: TestValue, type: ColumnType): string {
  return value === null ? 'NULL' : cast(quoteText(toText(value)), type);
}

function selectCsv(
  path: string,
  columns: readonly Pick<Column, 'type'>[],
  rows: readonly (readonly TestValue[])[],
): string {
  const field = (value: TestValue) => (value === null ? '' : `"${toText(value).replaceAll('"', '""')}"`);
  writeFileSync(path, rows.map((row) => `${row.map(field).join(',')}\n`).join(''));
  const texts = columns.map((_, index) => `c${index}: 'VARCHAR'`).join(', ');
  const values = columns.map(({ type }, index) => cast(`c${index}`, type)).join(', ');
  return `SELECT ${values} FROM read_csv(${quoteText(path)}, columns = {${texts}}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', allow_quoted_nulls = false)`;
}

function toText(value: TestValue): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function cast(text: string, type: ColumnType): string {
  return type === 'binary' ? `unhex(${text})` : `${text}::${typeOf(type)}`;
}
