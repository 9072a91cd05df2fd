import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api';
import { isAppError } from '../../core/errors.ts';
import type { Column } from '../../domains/datasets/schema/column.ts';
import { quoteName, quoteText } from './quote.ts';
import { runQuery } from './run-query.ts';

const foundNegativeZero = 'the rows hold a negative zero';

export interface ParquetCopy {
  /** Has all of `columns`, each with the DuckDB type of its type. */
  readonly query: string;
  readonly columns: readonly Pick<Column, 'name' | 'type'>[];
  readonly path: string;
  /** Of COPY, besides the format. */
  readonly options: string;
}

/**
 * Writes the result of a query to a Parquet file. DuckDB's dictionaries merge -0.0 and 0.0 into whichever comes first, so
 * rows with a negative zero are written without dictionaries.
 *
 * @returns what COPY returns
 * @throws CANCELLED; DuckDB's errors, translated
 */
export async function copyToParquet(
  connection: DuckDBConnection,
  { query, columns, path, options }: ParquetCopy,
  signal: AbortSignal,
): Promise<DuckDBResultReader> {
  const copy = (rows: string, more = '') =>
    runQuery(
      connection,
      `COPY (${rows}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ${options}${more})`,
      signal,
    );
  try {
    return await copy(failOnNegativeZero(query, columns));
  } catch (error) {
    if (!(isAppError(error) && error.message.includes(foundNegativeZero))) throw error;
    return await copy(query, ', DICTIONARY_SIZE_LIMIT 0');
  }
}

/** Negative zeros are rare: a check while writing costs 5%, a check before it would read all rows twice. */
function failOnNegativeZero(query: string, columns: ParquetCopy['columns']): string {
  const checked = columns
    .filter(({ type }) => type === 'double')
    .map(({ name }) => {
      const value = quoteName(name);
      const fail = `error(${quoteText(foundNegativeZero)})`;
      return `CASE WHEN ${value} = 0 AND signbit(${value}) THEN ${fail} ELSE ${value} END AS ${value}`;
    });
  return checked.length === 0 ? query : `SELECT * REPLACE (${checked.join(', ')}) FROM (${query})`;
}
