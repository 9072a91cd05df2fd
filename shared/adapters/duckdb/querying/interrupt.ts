import type { DuckDBConnection } from '@duckdb/node-api';

/** Interrupts the connection's query when the signal aborts, until it is disposed of. */
export function interruptOn(signal: AbortSignal, connection: DuckDBConnection): Disposable {
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', interrupt) };
}
