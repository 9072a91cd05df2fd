import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api';
import { AppError } from '../../core/errors.ts';
import { translateDuckDbError } from './errors.ts';

/**
 * Runs a statement and reads its whole result, which must be small: its values are kept in memory. Rejects soon
 * after `signal` aborts.
 *
 * @throws AppError CANCELLED, or UNPROCESSABLE with DuckDB's reason
 */
export async function runQuery(
  connection: DuckDBConnection,
  sql: string,
  signal: AbortSignal | undefined,
): Promise<DuckDBResultReader> {
  if (signal?.aborted) throw cancelled();
  const interrupt = () => connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    return await connection.runAndReadAll(sql);
  } catch (error) {
    throw signal?.aborted ? cancelled() : translateDuckDbError(error);
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'Reading the table was cancelled.');
}
