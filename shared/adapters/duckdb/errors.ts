import { defineErrors, errorKind } from '../../core/error-kinds.ts';
import { AppError, isAppError } from '../../core/errors.ts';

export const duckDbErrors = defineErrors({
  outOfMemory: errorKind('UNPROCESSABLE', () => 'The table needs more memory to read than the limit allows.'),
});

/**
 * DuckDB's errors are texts that begin with their kind. Those that speak of the file become UNPROCESSABLE with
 * DuckDB's own first line, which says what is wrong, without the path on this machine.
 */
export function translateDuckDbError(error: unknown): AppError {
  if (isAppError(error)) return error;
  const [firstLine = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  const [, kind = '', text = firstLine] =
    /^([A-Z][\w -]*?(?: Error|exception)): (.*)$/i.exec(firstLine) ?? [];
  if (/^interrupt/i.test(kind))
    return new AppError('CANCELLED', 'Reading the table was cancelled.', {}, error);
  if (/^out of memory/i.test(kind)) return duckDbErrors.outOfMemory({}, error);
  if (/no space left|disk quota|max_temp_directory_size/i.test(text))
    return new AppError('INSUFFICIENT_STORAGE', 'The disk for temporary files is full.', {}, error);
  return new AppError('UNPROCESSABLE', `The table cannot be read: ${cleanReason(text)}.`, {}, error);
}

/** Without this machine's paths and the raw bytes of a damaged file, and not longer than a sentence or two. */
function cleanReason(text: string): string {
  return text
    .replaceAll(/(?:\b(?:the )?file )?(['"])[^'"]*\/[^'"]*\1/g, 'the file')
    .replaceAll(/(?:\b(?:the )?file:? )?(?<![\w.)/])\/[^\s,;:'"]+/g, 'the file')
    .replaceAll(/\p{Cc}/gu, '?')
    .replace(/[.:\s]+$/, '')
    .slice(0, 300);
}
