import type { DuckDBConnection } from '@duckdb/node-api';
import { checkParquet } from './check-parquet.ts';
import { quoteText } from './quote.ts';
import { openDuckDb } from './session.ts';

export interface DuckDbOptions {
  /** 1 or 2 is plenty for one file; the result does not depend on it. */
  readonly threads: number;
  /** DuckDB's own buffers; what the caller keeps comes on top. */
  readonly memoryLimitMb: number;
}

/** A private in-memory DuckDB that can read one Parquet file and nothing else. */
export interface OpenParquet extends Disposable {
  readonly connection: DuckDBConnection;
  /** The table expression to select from. */
  readonly source: string;
}

/**
 * Opens a local Parquet file. The database may read this path only: no other file, no network, no extension can
 * be reached from SQL, and the settings are locked.
 *
 * @throws AppError NOT_FOUND, INVALID_ARGUMENT for a path with wildcards, UNPROCESSABLE when the file's first and
 *   last bytes already show that it is not a whole Parquet file.
 */
export async function openParquet(path: string, options: DuckDbOptions): Promise<OpenParquet> {
  await checkParquet(path);
  const session = await openDuckDb({ ...options, allowedPaths: [path] });
  return {
    connection: session.connection,
    source: `read_parquet(${quoteText(path)})`,
    [Symbol.dispose]: () => session.dispose(),
  };
}
