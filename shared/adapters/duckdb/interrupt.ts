import type { DuckDBConnection } from '@duckdb/node-api';

const interruptAgainMs = 20;

/** Interrupts the connection's query when the signal fires, until it is disposed of. */
export function interruptOn(signal: AbortSignal | undefined, connection: DuckDBConnection): Disposable {
  let repeating: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    // DuckDB ignores an interrupt that precedes the query's first step.
    repeating = setInterval(() => connection.interrupt(), interruptAgainMs);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  return {
    [Symbol.dispose]: () => {
      signal?.removeEventListener('abort', interrupt);
      clearInterval(repeating);
    },
  };
}
