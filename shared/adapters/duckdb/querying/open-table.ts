import type { DuckDBConnection } from '@duckdb/node-api';
import type { LocalTable } from '../../../domains/datasets/reading/table-engine.ts';
import { openDuckDb } from '../session.ts';
import { openSource } from '../table-source.ts';
import type { JobLimits } from './job-limits.ts';

/** A private database that can read one table and nothing else. */
export interface OpenTable extends Disposable {
  readonly connection: DuckDBConnection;
  /** A query for the table's columns in their declared types and order, with the rows in order. */
  readonly select: string;
}

/**
 * @param outputs other files that it may write
 * @throws AppError UNPROCESSABLE with DuckDB's reason
 */
export async function openTable(
  { paths, columns }: LocalTable,
  limits: JobLimits,
  outputs: readonly string[] = [],
): Promise<OpenTable> {
  const session = await openDuckDb({
    threads: 1,
    memoryLimitMb: limits.memoryLimitMb,
    tempDirectory: limits.folder,
    tempLimitMb: limits.tempLimitMb,
    allowedPaths: [...paths, ...outputs],
    columns: columns.length,
  });
  try {
    const source = await openSource(session.connection, paths, undefined);
    const select = `SELECT ${source.list(columns)} FROM ${source.from}`;
    return { connection: session.connection, select, [Symbol.dispose]: () => session.dispose() };
  } catch (error) {
    session.dispose();
    throw error;
  }
}
