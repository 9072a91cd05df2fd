import { open, type FileHandle } from 'node:fs/promises';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../core/errors.ts';
import { translateDuckDbError } from './errors.ts';

export interface DuckDbOptions {
  /** 1 or 2 is plenty for one file; the result does not depend on it. */
  readonly threads: number;
  /** DuckDB's own buffers; what the caller keeps comes on top. */
  readonly memoryLimitMb: number;
}

/** A private in-memory DuckDB that can read one Parquet file and nothing else. */
export interface OpenParquet extends Disposable {
  readonly connection: DuckDBConnection;
  /** The table expression to select from. */
  readonly source: string;
}

/**
 * Opens a local Parquet file. The database may read this path only: no other file, no network, no extension can
 * be reached from SQL, and the settings are locked.
 *
 * @throws AppError NOT_FOUND, INVALID_ARGUMENT for a path with wildcards, UNPROCESSABLE when the file's first and
 *   last bytes already show that it is not a whole Parquet file.
 */
export async function openParquet(path: string, options: DuckDbOptions): Promise<OpenParquet> {
  // DuckDB would expand these to several files.
  if (/[*?[\]{}]/.test(path)) throw new AppError('INVALID_ARGUMENT', 'A table path may not hold wildcards.');
  await checkMagic(path);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads),
    memory_limit: `${options.memoryLimitMb}MB`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    const literal = quoteText(path);
    await connection.run(
      `SET allowed_paths = [${literal}]; SET enable_external_access = false; SET lock_configuration = true`,
    );
    return {
      connection,
      source: `read_parquet(${literal})`,
      [Symbol.dispose]: () => {
        connection.closeSync();
        instance.closeSync();
      },
    };
  } catch (error) {
    instance.closeSync();
    throw translateDuckDbError(error);
  }
}

/** @example quoteText("it's") // "'it''s'" */
function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** @example quoteName('a"b') // '"a""b"' */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A Parquet file begins and ends with "PAR1"; before the end stands the length of its footer.
 *
 * @see https://parquet.apache.org/docs/file-format/
 */
async function checkMagic(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new AppError('NOT_FOUND', 'The table file does not exist.', {}, error);
    throw new AppError('UNAVAILABLE', 'The table file cannot be opened.', {}, error);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new AppError('UNPROCESSABLE', 'The table is not a file.');
    const { size } = stat;
    if (size === 0) throw notParquet('it is empty (0 bytes)', size);
    const head = await readText(file, 0, 4);
    if (head !== 'PAR1') throw notParquet('it does not begin with "PAR1"', size);
    const tail = await readText(file, Math.max(0, size - 4), 4);
    if (size < 12 || tail !== 'PAR1')
      throw notParquet('it does not end with "PAR1": the file was cut off before its footer', size);
  } finally {
    await file.close();
  }
}

async function readText(file: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.toString('latin1', 0, bytesRead);
}

function notParquet(why: string, sizeBytes: number): AppError {
  return new AppError('UNPROCESSABLE', `This is not a readable Parquet file: ${why}.`, { sizeBytes });
}
