import { isUtf8 } from 'node:buffer';
import { AppError } from '../../core/errors.ts';
import { describeEncoding } from './bytes/encodings.ts';
import { nameColumns } from './name-columns.ts';
import type { Window } from './bytes/window.ts';
import { countFields, findLineEnd, skipLineEnd } from './records/resync.ts';
import { findRecordEnd, splitFields } from './sniff-delimiter.ts';

export interface Header {
  readonly names: readonly string[];
  readonly notes: readonly string[];
  /** Where the records start. */
  readonly next: number;
}

/**
 * Reads the first record as column names. Trims the names; a column without a name becomes `column_3`.
 *
 * @param isCertain whether the record is the header even if it looks like data
 * @throws UNPROCESSABLE for names that are not unique ignoring case (Delta Lake's rule), for a first record of values
 *   only, and for an invalid record; PAYLOAD_TOO_LARGE for too many columns
 */
export function readHeader(
  window: Window,
  delimiter: string,
  maxColumns: number,
  isCertain: boolean,
): Header {
  const { bytes, from: start, to, isLast } = window;
  const byte = delimiter.charCodeAt(0);
  const end = findRecordEnd(bytes, start, to, byte);
  if (end === to && !isLast) {
    throw refused(`does not end within the first ${to - start} bytes`, 'Check for an unclosed quote.');
  }
  const content = bytes.subarray(start, end);
  if (!isUtf8(content)) {
    throw refused(`is not UTF-8: ${describeEncoding(content)}`, 'Save the file as UTF-8.');
  }
  const columns = countFields(bytes, start, end, byte);
  if (columns === 0) {
    const line = content.toString('utf8', 0, Math.min(100, findLineEnd(content, 0, content.length)));
    throw refused(
      `has invalid quotes: ${line}`,
      'A quoted field starts and ends with a quote, and doubles the quotes inside (RFC 4180).',
    );
  }
  if (columns > maxColumns) {
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `The header has ${columns} columns, over the limit of ${maxColumns} (maxColumns).`,
      { limit: 'maxColumns', columns, maxColumns },
    );
  }
  const fields = splitFields(bytes, start, end, byte);
  if (!isCertain && fields.every(looksLikeValue)) {
    throw refused(
      `seems to be missing: the first record has values only (${fields.slice(0, 3).join(delimiter)}…)`,
      'Start the file with a line of column names.',
    );
  }
  return { ...nameColumns(fields), next: skipLineEnd(bytes, end, to) };
}

/** Whether a field is a number, a date, a time or a boolean, and so probably not a column name. */
function looksLikeValue(field: string): boolean {
  return /^\s*([-+]?(\d[\d.,]*|\.\d+)(e[-+]?\d+)?%?|\d{4}-\d\d-\d\d([T ][\d:.,]+(Z|[-+]\d\d:?\d\d)?)?|\d\d?[./-]\d\d?[./-]\d{2,4}|true|false)\s*$/i.test(
    field,
  );
}

function refused(what: string, remedy: string): AppError {
  return new AppError('UNPROCESSABLE', `The header ${what}. ${remedy}`);
}
