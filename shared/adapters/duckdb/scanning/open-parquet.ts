import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../../core/errors.ts';
import { checkParquet } from '../check-parquet.ts';
import { quoteText } from '../quote.ts';
import { openDuckDb } from '../session.ts';

export interface DuckDbOptions {
  /** 1 or 2 suffice for one file. The result does not depend on it. */
  readonly threads: number;
  /** For DuckDB's buffers; excludes what the caller keeps. */
  readonly memoryLimitMb: number;
}

/** A private in-memory database that can read one table and nothing else. */
export interface OpenParquet extends Disposable {
  readonly connection: DuckDBConnection;
  /** The table expression to select from. */
  readonly source: string;
}

/**
 * Opens the local Parquet files of a table, in row order. SQL can read these paths only: no other file, no network, no
 * extension, and the settings are locked.
 *
 * @throws AppError NOT_FOUND, INVALID_ARGUMENT for a path with wildcards, UNPROCESSABLE for a file whose first and last
 *   bytes are not those of a Parquet file
 */
export async function openParquet(paths: readonly string[], options: DuckDbOptions): Promise<OpenParquet> {
  if (paths.length === 0) throw new AppError('UNPROCESSABLE', 'The table has no data file.');
  for (const path of paths) await checkParquet(path);
  const session = await openDuckDb({ ...options, allowedPaths: paths });
  return {
    connection: session.connection,
    // A column that a file lacks is null.
    source: `read_parquet([${paths.map(quoteText).join(', ')}]${paths.length > 1 ? ', union_by_name = true' : ''})`,
    [Symbol.dispose]: () => session.dispose(),
  };
}
