import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { translateDuckDbError } from './errors.ts';
import { quoteText } from './quote.ts';

export interface DuckDbSessionOptions {
  /** 1 or 2; what is computed here may not depend on it. */
  readonly threads: number;
  /** DuckDB's own buffers: not a hard cap, and what the caller keeps comes on top. */
  readonly memoryLimitMb: number;
  /** An existing folder where the session makes one of its own to spill to; without it nothing is ever spilled. */
  readonly tempDirectory?: string;
  /** How much may be spilled. 16 GiB unless told. */
  readonly tempLimitMb?: number;
  /** The files that SQL may read and write; they need not exist yet. */
  readonly allowedPaths: readonly string[];
  /** Everything below these, too. */
  readonly allowedDirectories?: readonly string[];
  /**
   * Whether rows keep the order of the file without an ORDER BY (DuckDB's own default). Without it aggregates and
   * writes need less memory.
   */
  readonly preserveInsertionOrder?: boolean;
  /** How many columns the widest table has: many of them need more buffers than the limit says. Left out: few. */
  readonly columns?: number;
}

/** What segments and vectors reserve for a column; few rows use but a little of it. */
const reservedMbPerColumn = 0.4;

/** From so many columns on, looking for common subexpressions takes longer than what it finds can save: it compares each with each. */
const wideColumns = 256;

/** A private in-memory DuckDB. Its settings are locked; TimeZone is UTC whatever the machine's. */
export interface DuckDbSession extends Disposable {
  readonly connection: DuckDBConnection;
  /** Another connection to the same tables; closed with the session. */
  connect(): Promise<DuckDBConnection>;
  /** What `using` calls: closes every connection and removes what was spilled. Twice does no harm. */
  dispose(): void;
}

/**
 * Starts a database that sees nothing but the paths given: no other file, no network, no extension can be reached
 * from SQL, and no setting can be changed any more.
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
    // DuckDB has removed its files by now: an empty folder.
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

/** GLOBAL: a TimeZone set otherwise holds for one connection, and the next has the machine's. */
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
