import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { TextChunk } from '../../../formats/tabular/text-chunk.ts';
import type {
  ConvertedChunk,
  ConvertOptions,
  DuplicateRow,
  TableConverter,
  TableConverters,
} from '../../../domains/datasets/ingestion/staging/table-converter.ts';
import type { Column } from '../../../domains/datasets/schema/column.ts';
import type { ColumnSurvey } from '../../../domains/datasets/schema/survey.ts';
import { openDuckDb, type DuckDbSession } from '../session.ts';
import { ConnectionPool } from './connection-pool.ts';
import { convertChunk, type CreatePath } from './convert-chunk.ts';
import { convertParquet } from './convert-parquet.ts';
import { findDuplicates, removeRows } from './duplicates.ts';
import { inspectParquetColumns } from './parquet-columns.ts';
import { surveyChunk } from './survey-chunk.ts';

export interface TableConverterOptions {
  /** How many chunks are converted concurrently, each by one thread. */
  readonly threads: number;
  /** The limit of DuckDB's buffers over all threads. */
  readonly memoryLimitMb: number;
}

export function createTableConverters(options: TableConverterOptions): TableConverters {
  return {
    open: async ({ directory, columns = 0 }) => {
      // Several queries of one thread each: splitting one query among threads costs more than it gains.
      const session = await openDuckDb({
        threads: 1,
        memoryLimitMb: options.memoryLimitMb,
        tempDirectory: directory,
        allowedPaths: [],
        allowedDirectories: [directory],
        columns,
      });
      return new DuckDbTableConverter(session, directory, options.threads);
    },
  };
}

class DuckDbTableConverter implements TableConverter {
  readonly #session: DuckDbSession;
  readonly #pool: ConnectionPool<DuckDBConnection>;
  readonly #createPath: CreatePath;

  constructor(session: DuckDbSession, directory: string, connections: number) {
    this.#session = session;
    this.#pool = new ConnectionPool(connections, () => session.connect());
    this.#createPath = (extension) => join(directory, `${randomUUID()}.${extension}`);
  }

  survey(chunk: TextChunk, signal: AbortSignal): Promise<readonly ColumnSurvey[]> {
    return surveyChunk(chunk, signal);
  }

  convert(chunk: TextChunk, options: ConvertOptions): Promise<ConvertedChunk> {
    return this.#pool.use(options.signal, (connection) =>
      convertChunk(connection, chunk, options, this.#createPath),
    );
  }

  inspectParquetColumns(path: string, signal: AbortSignal): Promise<readonly Column[]> {
    return this.#pool.use(signal, (connection) => inspectParquetColumns(connection, path, signal));
  }

  async *convertParquet(path: string, options: ConvertOptions): AsyncGenerator<ConvertedChunk> {
    const lease = await this.#pool.take(options.signal);
    try {
      yield* convertParquet(lease.connection, path, options, this.#createPath);
    } finally {
      lease.giveBack();
    }
  }

  async *findDuplicates(
    files: readonly string[],
    columns: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly DuplicateRow[]> {
    const lease = await this.#pool.take(signal);
    try {
      yield* findDuplicates(lease.connection, files, columns, signal);
    } finally {
      lease.giveBack();
    }
  }

  removeRows(path: string, rows: readonly number[], signal: AbortSignal) {
    return this.#pool.use(signal, (connection) =>
      removeRows(connection, path, rows, this.#createPath('parquet'), signal),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
    this.#session.dispose();
  }
}
