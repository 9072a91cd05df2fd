import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api';
import { AppError } from '../../core/errors.ts';
import { translateDuckDbError } from './errors.ts';

const interruptAgainMs = 20;

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
  if (signal?.aborted) throw cancelled();
  let repeating: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    // DuckDB ignores an interrupt that precedes the query's first step.
    repeating = setInterval(() => connection.interrupt(), interruptAgainMs);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    return await connection.runAndReadAll(sql);
  } catch (error) {
    throw signal?.aborted ? cancelled() : translateDuckDbError(error);
  } finally {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(repeating);
  }
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'Reading the table was cancelled.');
}
