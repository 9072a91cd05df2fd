import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { translateDuckDbError } from './errors.ts';
import { quoteText } from './quote.ts';

export interface DuckDbSessionOptions {
  /** 1 or 2. Results must not depend on it. */
  readonly threads: number;
  /** For DuckDB's buffers. Not a hard cap, and excludes what the caller keeps. */
  readonly memoryLimitMb: number;
  /** An existing folder, in which the session creates its own for spilling. Without it nothing is spilled. */
  readonly tempDirectory?: string;
  /** Defaults to 16 GiB. */
  readonly tempLimitMb?: number;
  /** Files that SQL may read and write. They need not exist yet. */
  readonly allowedPaths: readonly string[];
  /** Folders whose content SQL may read and write. */
  readonly allowedDirectories?: readonly string[];
  /**
   * Whether rows keep the order of the file without an ORDER BY (the default). Without it, aggregates and writes need
   * less memory.
   */
  readonly preserveInsertionOrder?: boolean;
  /** The columns of the widest table, if there are many: they need more buffers than the limit. */
  readonly columns?: number;
}

/** Segments and vectors reserve this per column, however few rows there are. */
const reservedMbPerColumn = 0.4;

/** From this many columns on, the search for common subexpressions costs more than it saves: it is quadratic. */
const wideColumns = 256;

/** A private in-memory DuckDB. Its settings are locked; TimeZone is UTC whatever the machine's. */
export interface DuckDbSession extends Disposable {
  readonly connection: DuckDBConnection;
  /** Opens another connection to the same tables, which is closed with the session. */
  connect(): Promise<DuckDBConnection>;
  /** Closes all connections and removes spilled files. May be called twice. */
  dispose(): void;
}

/**
 * Starts a private database. SQL can access the given paths only: no other file, no network, no extension. All settings
 * are locked.
 *
 * @throws AppError UNPROCESSABLE with DuckDB's reason
 */
export async function openDuckDb(options: DuckDbSessionOptions): Promise<DuckDbSession> {
  const { tempDirectory, columns = 0 } = options;
  const spill = tempDirectory === undefined ? '' : await mkdtemp(join(tempDirectory, 'duckdb-'));
  const connections: DuckDBConnection[] = [];
  let instance: DuckDBInstance | undefined;
  const dispose = () => {
    for (const connection of connections.splice(0)) connection.closeSync();
    instance?.closeSync();
    instance = undefined;
    // DuckDB has removed its files: the folder is empty.
    if (spill !== '') rmSync(spill, { recursive: true, force: true });
  };
  try {
    const created = await DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      memory_limit: `${Math.max(options.memoryLimitMb, Math.ceil(columns * reservedMbPerColumn))}MiB`,
      temp_directory: spill,
      max_temp_directory_size: `${options.tempLimitMb ?? 16_384}MiB`,
      preserve_insertion_order: String(options.preserveInsertionOrder ?? true),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      ...(columns > wideColumns ? { disabled_optimizers: 'common_subexpressions' } : {}),
    });
    instance = created;
    const connect = async () => {
      const connection = await created.connect();
      connections.push(connection);
      return connection;
    };
    const connection = await connect();
    await connection.run(lockDown(options));
    return { connection, connect, dispose, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw translateDuckDbError(error);
  }
}

/** GLOBAL, because a plain SET of TimeZone applies to one connection only. */
function lockDown({ allowedPaths, allowedDirectories = [] }: DuckDbSessionOptions): string {
  const list = (paths: readonly string[]) => `[${paths.map(quoteText).join(', ')}]`;
  return [
    "SET GLOBAL TimeZone = 'UTC'",
    `SET allowed_paths = ${list(allowedPaths)}`,
    `SET allowed_directories = ${list(allowedDirectories)}`,
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ].join('; ');
}
