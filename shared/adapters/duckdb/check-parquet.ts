import { open, type FileHandle } from 'node:fs/promises';
import { AppError } from '../../core/errors.ts';

/**
 * Checks that a file starts and ends with "PAR1", as a Parquet file does. Refuses wildcards, which DuckDB would expand.
 *
 * @throws AppError NOT_FOUND, INVALID_ARGUMENT for a path with wildcards, UNPROCESSABLE when the first and last bytes
 *   show that it is not a whole Parquet file
 * @see https://parquet.apache.org/docs/file-format/
 */
export async function checkParquet(path: string): Promise<void> {
  if (/[*?[\]{}]/.test(path))
    throw new AppError('INVALID_ARGUMENT', 'A table path cannot contain wildcards.');
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
    if (head !== 'PAR1') throw notParquet('it does not start with "PAR1"', size);
    const tail = await readText(file, Math.max(0, size - 4), 4);
    if (size < 12 || tail !== 'PAR1')
      throw notParquet('it does not end with "PAR1": it was cut off before its footer', size);
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
