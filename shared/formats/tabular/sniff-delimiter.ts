import { countFields, findLineEnd, skipLineEnd, skipQuoted } from './records/resync.ts';

/** In order of preference. */
const candidates = [',', ';', '\t', '|'] as const;
const names = new Map([
  [',', 'commas'],
  [';', 'semicolons'],
  ['\t', 'tabs'],
  ['|', 'pipes'],
]);
const maxSampleRecords = 1_000;
const quote = 0x22;

export interface DelimiterGuess {
  readonly delimiter: string;
  /** That another delimiter fits as well. */
  readonly note?: string;
}

interface Fit {
  readonly delimiter: string;
  /** Of the header. */
  readonly fields: number;
  /** The share of the other records with as many fields. */
  readonly share: number;
}

/**
 * Chooses the delimiter that splits the header into several fields, and most of the first 1,000 records into as many; of
 * equals, the one with more columns. If no candidate is in the header, it is a comma, and there is one column.
 */
export function sniffDelimiter(bytes: Uint8Array, from: number, to: number): DelimiterGuess {
  const fits = candidates
    .map((delimiter) => fit(bytes, from, to, delimiter))
    .filter(({ fields }) => fields > 1)
    .sort((a, b) => b.share - a.share || b.fields - a.fields);
  const [best, next] = fits;
  if (best === undefined) return { delimiter: ',' };
  if (next === undefined || next.share < 0.95 || next.share < best.share - 0.01) {
    return { delimiter: best.delimiter };
  }
  const show = ({ delimiter, fields }: Fit) => `${names.get(delimiter)} (${fields} columns)`;
  return {
    delimiter: best.delimiter,
    note: `The fields seem to be separated by ${show(best)}; ${show(next)} would fit as well.`,
  };
}

function fit(bytes: Uint8Array, from: number, to: number, delimiter: string): Fit {
  const byte = delimiter.charCodeAt(0);
  let fields = 0;
  let records = 0;
  let equal = 0;
  for (let start = from; start < to && records <= maxSampleRecords;) {
    const end = findRecordEnd(bytes, start, to, byte);
    // Ignores a record that the sample truncates, unless it is the only one.
    if (end === to && records > 0) break;
    if (end > start) {
      const count = countFields(bytes, start, end, byte);
      if (records === 0) fields = count;
      else if (count === fields) equal += 1;
      records += 1;
    }
    start = skipLineEnd(bytes, end, to);
  }
  return { delimiter, fields, share: records > 1 ? equal / (records - 1) : 1 };
}

/**
 * @returns the end of a record: a line end outside of quotes; the first line end if a quote is not closed; `to` if there is
 *   none
 */
export function findRecordEnd(bytes: Uint8Array, start: number, to: number, delimiter: number): number {
  for (let at = start; at < to; at += 1) {
    if (bytes[at] === quote) {
      at = skipQuoted(bytes, at, to);
      if (at < 0) return findLineEnd(bytes, start, to);
    }
    while (at < to && bytes[at] !== delimiter && bytes[at] !== 0x0a && bytes[at] !== 0x0d) at += 1;
    if (bytes[at] !== delimiter || at >= to) return at;
  }
  return to;
}

/** Splits one record with valid quotes into fields. */
export function splitFields(bytes: Buffer, start: number, end: number, delimiter: number): string[] {
  const fields: string[] = [];
  for (let at = start; at <= end; at += 1) {
    const from = at;
    if (bytes[at] === quote && at < end) {
      at = skipQuoted(bytes, at, end);
      fields.push(bytes.toString('utf8', from + 1, at - 1).replaceAll('""', '"'));
    } else {
      while (at < end && bytes[at] !== delimiter) at += 1;
      fields.push(bytes.toString('utf8', from, at));
    }
  }
  return fields;
}
