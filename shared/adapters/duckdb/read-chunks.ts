import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import { throwIfCancelled } from '../../core/async/cancelled.ts';

/**
 * Reads a streamed result chunk by chunk.
 *
 * @throws CANCELLED between two chunks; DuckDB's own errors
 */
export async function* readChunks(
  result: DuckDBResult,
  signal: AbortSignal | undefined,
): AsyncGenerator<DuckDBDataChunk> {
  for (;;) {
    throwIfCancelled(signal, 'Reading the table');
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk;
  }
}
