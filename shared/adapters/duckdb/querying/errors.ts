import { dirname } from 'node:path';
import { AppError, isAppError } from '../../../core/errors.ts';
import { translateDuckDbError } from '../errors.ts';

const byCaller =
  /^(?:Binder|Catalog|Conversion|Constraint|Dependency|Invalid Input|Invalid|Mismatch Type|Not implemented|Out of Range|Parser|Permission|Sequence|Syntax|TransactionContext) Error: /;

/** Damaged data, which DuckDB reports as invalid input. */
const byFile = /Failed to read file|decompress|TProtocolException/i;

/**
 * Translates an error of a caller's SQL to INVALID_ARGUMENT, with DuckDB's text but without local paths. Errors of files
 * or of DuckDB itself are not the caller's.
 */
export function translateQueryError(error: unknown, ownPaths: readonly string[]): AppError {
  if (isAppError(error)) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (text.startsWith('INTERRUPT')) return new AppError('CANCELLED', 'The query was cancelled.', {}, error);
  if (/^Out of Memory Error|std::bad_alloc/.test(text)) return outOfMemory(error);
  if (/^(?:INTERNAL|FATAL|Fatal) /.test(text))
    return new AppError('UNPROCESSABLE', 'DuckDB failed to run this query: rewrite it.', {}, error);
  // DuckDB also looks for a truncated file as a folder.
  const isOfFile = byFile.test(text) || ownPaths.some((path) => text.includes(`${path}/`));
  if (isOfFile || !byCaller.test(text)) return translateDuckDbError(error);
  // The position in the SQL, or advice on settings, follows the first blank line.
  const [first = ''] = text.split('\n\n');
  const message = hidePaths(first, ownPaths)
    .replaceAll(/\s*\n\s*/g, ' ')
    .slice(0, 1_000);
  return new AppError('INVALID_ARGUMENT', message, {}, error);
}

export function outOfMemory(cause?: unknown): AppError {
  return new AppError(
    'UNPROCESSABLE',
    'The query exceeds its memory limit: read fewer columns or rows, or raise the setting SLIPWAY_QUERY_MEMORY_MB.',
    { limit: 'memory' },
    cause,
  );
}

function hidePaths(text: string, ownPaths: readonly string[]): string {
  const folders = new Set(ownPaths.map((path) => dirname(path)));
  let hidden = text;
  for (const path of ownPaths) hidden = hidden.replaceAll(path, 'the data file');
  for (const folder of folders) hidden = hidden.replaceAll(folder, '…');
  return hidden;
}
