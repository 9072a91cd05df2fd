import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../../core/errors.ts';
import { checkParquet } from '../check-parquet.ts';
import { quoteText } from '../quote.ts';
import { openDuckDb } from '../session.ts';

export interface DuckDbOptions {
  /** 1 or 2 is plenty for one file; the result does not depend on it. */
  readonly threads: number;
  /** DuckDB's own buffers; what the caller keeps comes on top. */
  readonly memoryLimitMb: number;
}

/** A private in-memory DuckDB that can read the files of one table and nothing else. */
export interface OpenParquet extends Disposable {
  readonly connection: DuckDBConnection;
  /** The table expression to select from. */
  readonly source: string;
}

/**
 * Opens the local Parquet files of a table, in the order of their rows. The database may read these paths only: no
 * other file, no network, no extension can be reached from SQL, and the settings are locked.
 *
 * @throws AppError NOT_FOUND, INVALID_ARGUMENT for a path with wildcards, UNPROCESSABLE when the file's first and
 *   last bytes already show that it is not a whole Parquet file.
 */
export async function openParquet(paths: readonly string[], options: DuckDbOptions): Promise<OpenParquet> {
  if (paths.length === 0) throw new AppError('UNPROCESSABLE', 'The table has no data file.');
  for (const path of paths) await checkParquet(path);
  const session = await openDuckDb({ ...options, allowedPaths: paths });
  return {
    connection: session.connection,
    // Columns that came later are null in the files before.
    source: `read_parquet([${paths.map(quoteText).join(', ')}]${paths.length > 1 ? ', union_by_name = true' : ''})`,
    [Symbol.dispose]: () => session.dispose(),
  };
}
