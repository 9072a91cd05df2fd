import type { DuckDBConnection } from '@duckdb/node-api';
import type { LocalTable } from '../../../domains/datasets/reading/table-engine.ts';
import type { Column } from '../../../domains/datasets/schema/column.ts';
import { typeOf } from '../column-sql.ts';
import { translateDuckDbError } from '../errors.ts';
import { quoteName, quoteText } from '../quote.ts';
import { openDuckDb } from '../session.ts';
import type { JobLimits } from './job-limits.ts';

/** A database that sees one table and nothing else. */
export interface OpenTable extends Disposable {
  readonly connection: DuckDBConnection;
  /** A query for the table's columns, in their declared types and order; rows in theirs. */
  readonly select: string;
}

/** @param outputs other files that it may write */
export async function openTable(
  table: LocalTable,
  limits: JobLimits,
  outputs: readonly string[] = [],
): Promise<OpenTable> {
  const session = await openDuckDb({
    threads: 1,
    memoryLimitMb: limits.memoryLimitMb,
    tempDirectory: limits.folder,
    tempLimitMb: limits.tempLimitMb,
    allowedPaths: [...table.paths, ...outputs],
    columns: table.columns.length,
  });
  try {
    const select = await selectFiles(session.connection, table.paths, table.columns);
    return { connection: session.connection, select, [Symbol.dispose]: () => session.dispose() };
  } catch (error) {
    session.dispose();
    throw translateDuckDbError(error);
  }
}

/** A query for declared columns of Parquet files; a column that none of them has is null. */
export async function selectFiles(
  connection: DuckDBConnection,
  paths: readonly string[],
  columns: readonly Column[],
): Promise<string> {
  if (paths.length === 0) return `SELECT ${columns.map(nothing).join(', ')} WHERE false`;
  const source = `read_parquet([${paths.map(quoteText).join(', ')}], union_by_name => true)`;
  const stored = await connection.run(`SELECT * FROM ${source} LIMIT 0`);
  const names = new Set(stored.columnNames().map((name) => name.toLowerCase()));
  const selected = columns.map((column) => {
    const name = quoteName(column.name);
    if (!names.has(column.name.toLowerCase())) return nothing(column);
    return `CAST(${name} AS ${typeOf(column.type)}) AS ${name}`;
  });
  return `SELECT ${selected.join(', ')} FROM ${source}`;
}

function nothing({ name, type }: Column): string {
  return `NULL::${typeOf(type)} AS ${quoteName(name)}`;
}
