import type { DuckDBConnection } from '@duckdb/node-api';

/** Interrupts whatever runs on a connection when the signal fires, until it is disposed. */
export function interruptOn(signal: AbortSignal, connection: DuckDBConnection): Disposable {
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', interrupt) };
}
