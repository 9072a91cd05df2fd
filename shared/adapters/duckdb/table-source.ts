import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../core/errors.ts';
import type { Column } from '../../domains/datasets/schema/column.ts';
import { typeOf } from './column-sql.ts';
import { quoteName, quoteText } from './quote.ts';
import { runQuery } from './run-query.ts';

/** The files of one version, to select from. */
export interface TableSource {
  /** The table expression. Besides the columns it has `file_index` and `file_row_number`, both from 0. */
  readonly from: string;
  readonly rows: number;
  /** Reads a column in its own type; null where a file does not have it. */
  read(column: Column): string;
}

/**
 * Looks into the files' footers. Files may lack columns of the schema, and hold them in another order.
 *
 * @param paths local Parquet files that the session allows; none is an empty table
 */
export async function openSource(
  connection: DuckDBConnection,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<TableSource> {
  if (paths.length === 0)
    return {
      from: '(SELECT 0 AS file_index, 0 AS file_row_number WHERE false)',
      rows: 0,
      read: ({ type }) => `NULL::${typeOf(type)}`,
    };
  const from = `read_parquet([${paths.map(quoteText).join(', ')}], union_by_name = true)`;
  const header = await runQuery(connection, `SELECT * FROM ${from} LIMIT 0`, signal);
  // DuckDB finds columns whatever their case.
  const names = new Set(header.columnNames().map((name) => name.toLowerCase()));
  const count = await runQuery(connection, `SELECT count(*)::DOUBLE FROM ${from}`, signal);
  return {
    from,
    rows: count.value(0, 0) as number,
    read: ({ name, type }) => {
      if (name.includes('\0'))
        throw new AppError('UNPROCESSABLE', 'A column whose name holds a NUL character cannot be read.', {
          name,
        });
      return names.has(name.toLowerCase()) ? `${quoteName(name)}::${typeOf(type)}` : `NULL::${typeOf(type)}`;
    },
  };
}
