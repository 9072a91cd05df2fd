import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api';
import { cancelled, throwIfCancelled } from '../../core/async/cancelled.ts';
import { translateDuckDbError } from './errors.ts';
import { interruptOn } from './interrupt.ts';

const work = 'Reading the table';

/**
 * Runs a statement and reads its whole result into memory, so it must be small. Rejects soon after `signal` aborts.
 *
 * @throws AppError CANCELLED, or UNPROCESSABLE with DuckDB's reason
 */
export async function runQuery(
  connection: DuckDBConnection,
  sql: string,
  signal: AbortSignal | undefined,
): Promise<DuckDBResultReader> {
  throwIfCancelled(signal, work);
  using _interrupt = interruptOn(signal, connection);
  try {
    return await connection.runAndReadAll(sql);
  } catch (error) {
    throw signal?.aborted ? cancelled(work) : translateDuckDbError(error);
  }
}
