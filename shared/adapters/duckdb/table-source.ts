import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../core/errors.ts';
import type { Column } from '../../domains/datasets/schema/column.ts';
import { typeOf } from './column-sql.ts';
import { quoteName, quoteText } from './quote.ts';
import { runQuery } from './run-query.ts';

/** The Parquet files of one table, to select from. */
export interface TableSource {
  /** The table expression. Besides the columns it has `file_index` and `file_row_number`, both from 0. */
  readonly from: string;
  /** An expression for a column in its declared type; null in files that lack the column. */
  read(column: Column): string;
  /** A select list of columns under their own names. */
  list(columns: readonly Column[]): string;
}

/**
 * Reads the footers of a table's files. Files may lack columns, and may hold them in another order.
 *
 * @param paths local Parquet files that the session allows; none is an empty table
 * @throws AppError CANCELLED, or UNPROCESSABLE with DuckDB's reason
 */
export async function openSource(
  connection: DuckDBConnection,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<TableSource> {
  if (paths.length === 0)
    return toSource('(SELECT 0 AS file_index, 0 AS file_row_number WHERE false)', new Set());
  const from = `read_parquet([${paths.map(quoteText).join(', ')}], union_by_name = true)`;
  const header = await runQuery(connection, `SELECT * FROM ${from} LIMIT 0`, signal);
  // DuckDB finds columns ignoring case.
  return toSource(from, new Set(header.columnNames().map((name) => name.toLowerCase())));
}

export async function countRows(
  connection: DuckDBConnection,
  { from }: Pick<TableSource, 'from'>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const count = await runQuery(connection, `SELECT count(*)::DOUBLE FROM ${from}`, signal);
  return count.value(0, 0) as number;
}

function toSource(from: string, names: ReadonlySet<string>): TableSource {
  const read = ({ name, type }: Column): string => {
    if (name.includes('\0'))
      throw new AppError('UNPROCESSABLE', 'A column name with a NUL character cannot be read.', { name });
    return names.has(name.toLowerCase()) ? `${quoteName(name)}::${typeOf(type)}` : `NULL::${typeOf(type)}`;
  };
  return {
    from,
    read,
    list: (columns) => columns.map((column) => `${read(column)} AS ${quoteName(column.name)}`).join(', '),
  };
}
