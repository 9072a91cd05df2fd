import { AppError } from '../../../core/errors.ts';

/**
 * A data file's path as the log has it: URI-encoded, each folder for itself.
 *
 * @throws INVALID_ARGUMENT for what is no path inside of the table
 * @example
 * encodePath('day=1/a b#.parquet') // 'day=1/a%20b%23.parquet'
 */
export function encodePath(path: string): string {
  const isInside = path !== '' && !path.startsWith('/') && !/(^|\/)\.{0,2}(\/|$)/.test(path);
  if (!isInside || !path.isWellFormed())
    throw new AppError('INVALID_ARGUMENT', `${JSON.stringify(path)} is no path inside of a table.`, { path });
  return encodeURIComponent(path).replaceAll(/%(?:2F|3D)/g, decodeURIComponent);
}

/**
 * @throws UNPROCESSABLE
 * @example
 * decodePath('a%20b.parquet') // 'a b.parquet'
 */
export function decodePath(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    const message = `The log names a file by ${JSON.stringify(encoded)}, which is no URI-encoded path.`;
    throw new AppError('UNPROCESSABLE', message, {}, error);
  }
}
