import { AppError } from '../../../core/errors.ts';

/**
 * URI-encodes the path of a data file for the log, folder by folder.
 *
 * @throws INVALID_ARGUMENT for a path outside of the table
 * @example
 * encodePath('day=1/a b#.parquet') // 'day=1/a%20b%23.parquet'
 */
export function encodePath(path: string): string {
  const isInside = path !== '' && !path.startsWith('/') && !/(^|\/)\.{0,2}(\/|$)/.test(path);
  if (!isInside || !path.isWellFormed())
    throw new AppError(
      'INVALID_ARGUMENT',
      `Invalid path of a data file: ${JSON.stringify(path)} is not inside of a table.`,
      { path },
    );
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
    const message = `The log has an invalid path ${JSON.stringify(encoded)}: it is not URI-encoded.`;
    throw new AppError('UNPROCESSABLE', message, {}, error);
  }
}
