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
  /** Where the records begin. */
  readonly next: number;
}

/**
 * Reads the first record as column names: blanks around a name are dropped, a column without a name becomes
 * `column_3`.
 *
 * @param isCertain the record is the header even if it looks like data
 * @throws UNPROCESSABLE for names that are not unique ignoring case (Delta Lake's rule), for a first record of values
 *   only, and for one that is no record; PAYLOAD_TOO_LARGE for too many columns
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
    throw refused(`has no end in its first ${to - start} bytes`, 'Is there a quote that does not close?');
  }
  const content = bytes.subarray(start, end);
  if (!isUtf8(content)) {
    throw refused(`is not UTF-8: ${describeEncoding(content)}`, 'Save the file as UTF-8.');
  }
  const columns = countFields(bytes, start, end, byte);
  if (columns === 0) {
    const line = content.toString('utf8', 0, Math.min(100, findLineEnd(content, 0, content.length)));
    throw refused(
      `breaks the rules of quotes: ${line}`,
      'A field with quotes begins and ends with one, and has those inside of it doubled (RFC 4180).',
    );
  }
  if (columns > maxColumns) {
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `The header names ${columns} columns, over the limit of ${maxColumns} (maxColumns).`,
      { limit: 'maxColumns', columns, maxColumns },
    );
  }
  const fields = splitFields(bytes, start, end, byte);
  if (!isCertain && fields.every(looksLikeValue)) {
    throw refused(
      `seems to be missing: the first record holds values only (${fields.slice(0, 3).join(delimiter)}…)`,
      'Begin the file with a line of column names.',
    );
  }
  return { ...nameColumns(fields), next: skipLineEnd(bytes, end, to) };
}

/** Numbers, dates and times, truth values: nobody's column names, when all are. */
function looksLikeValue(field: string): boolean {
  return /^\s*([-+]?(\d[\d.,]*|\.\d+)(e[-+]?\d+)?%?|\d{4}-\d\d-\d\d([T ][\d:.,]+(Z|[-+]\d\d:?\d\d)?)?|\d\d?[./-]\d\d?[./-]\d{2,4}|true|false)\s*$/i.test(
    field,
  );
}

function refused(what: string, remedy: string): AppError {
  return new AppError('UNPROCESSABLE', `The header ${what}. ${remedy}`);
}
