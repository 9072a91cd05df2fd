import { defineErrors, errorKind } from '../../core/error-kinds.ts';
import { AppError, isAppError } from '../../core/errors.ts';

export const duckDbErrors = defineErrors({
  outOfMemory: errorKind('UNPROCESSABLE', () => 'Reading the table exceeds the memory limit.'),
});

/**
 * Translates an error of DuckDB, whose text starts with its kind. Errors about a file become UNPROCESSABLE with the first
 * line of DuckDB's text, without local paths.
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

/** Removes local paths and raw bytes of damaged files, and limits the length. */
function cleanReason(text: string): string {
  return text
    .replaceAll(/(?:\b(?:the )?file )?(['"])[^'"]*\/[^'"]*\1/g, 'the file')
    .replaceAll(/(?:\b(?:the )?file:? )?(?<![\w.)/])\/[^\s,;:'"]+/g, 'the file')
    .replaceAll(/\p{Cc}/gu, '?')
    .replace(/[.:\s]+$/, '')
    .slice(0, 300);
}
