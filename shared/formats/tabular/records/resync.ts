import { type Fault, faults } from './record-batch.ts';
import { type Window } from '../bytes/window.ts';
import type { CsvRules } from './csv-rules.ts';

/** What a fault costs: the bytes of the bad record, and where the next one starts. */
export interface BadSpan {
  readonly fault: Fault;
  readonly end: number;
  readonly next: number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;

/** A bad record is kept whole in quarantine up to here, and so may hold several lines. */
const maxSpanBytes = 64 * 1024;

/**
 * Where the file goes on behind a record that is broken at `at`.
 *
 * A fault on the record's first line costs that line. If there were line ends in quotes before it, there are two
 * readings: a quote too many, and the lines behind the first are records; or a text of several lines with a fault in
 * it. The lines tell: if more than half of those the quotes swallowed have as many fields as a record, the first line
 * alone is bad, and they are read again. So a stray quote costs its own line, and lines of a text do not become
 * records. One column alone tells nothing, so that then the whole span is bad, up to 64 KiB.
 *
 * @returns undefined when that takes more bytes to tell
 */
export function resolveFault(
  window: Window,
  start: number,
  at: number,
  fault: Fault,
  rules: CsvRules,
): BadSpan | undefined {
  const { bytes, to, isLast } = window;
  const lineEnd = findLineEnd(bytes, start, to);
  const isOpen = fault === faults.unterminatedQuote;
  const isTooLong = lineEnd - start > rules.maxRecordBytes;
  if (lineEnd === to || (!isOpen && lineEnd >= at - 1)) {
    if (lineEnd === to && !isLast) return undefined;
    return endAt(window, lineEnd, isTooLong ? faults.tooLong : fault);
  }
  const isWhole = fault === faults.ragged || fault === faults.tooLong;
  const spanEnd = isOpen ? to : isWhole ? at - 1 : findLineEnd(bytes, at - 1, to);
  const strayQuote = () => endAt(window, lineEnd, isTooLong ? faults.tooLong : faults.unterminatedQuote);
  if (spanEnd - start > rules.maxRecordBytes) return strayQuote();
  if (spanEnd === to && !isLast) return undefined;
  const linesFrom = skipLineEnd(bytes, lineEnd, to);
  if (hasRecords(bytes, linesFrom, Math.min(spanEnd, start + maxSpanBytes), rules)) return strayQuote();
  return spanEnd - start <= maxSpanBytes ? endAt(window, spanEnd, fault) : strayQuote();
}

/** @returns undefined when the line end may not be there whole */
function endAt(window: Window, end: number, fault: Fault): BadSpan | undefined {
  const { bytes, to, isLast } = window;
  if (end + 1 >= to && !isLast && bytes[end] !== lineFeed) return undefined;
  return { fault, end, next: skipLineEnd(bytes, end, to) };
}

/** @returns the place of the first `\n` or `\r`; `to` when there is none */
export function findLineEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== lineFeed && bytes[at] !== carriageReturn) at += 1;
  return at;
}

/** @returns behind the `\n`, `\r\n` or `\r` at a place; never more than `to` */
export function skipLineEnd(bytes: Uint8Array, at: number, to: number): number {
  const isPair = bytes[at] === carriageReturn && at + 1 < to && bytes[at + 1] === lineFeed;
  return Math.min(to, at + (isPair ? 2 : 1));
}

/** Whether more than half of the lines are records by the look of them. */
function hasRecords(bytes: Uint8Array, from: number, to: number, rules: CsvRules): boolean {
  if (rules.columns < 2) return false;
  let lines = 0;
  let records = 0;
  for (let start = from; start < to;) {
    const end = findLineEnd(bytes, start, to);
    if (end > start) {
      lines += 1;
      if (resemblesRecord(bytes, start, end, rules)) records += 1;
    }
    start = skipLineEnd(bytes, end, to);
  }
  return records * 2 > lines;
}

/** Whether a line is a record, or would be one but for its quotes. */
function resemblesRecord(bytes: Uint8Array, from: number, to: number, rules: CsvRules): boolean {
  if (countFields(bytes, from, to, rules.delimiter) === rules.columns) return true;
  let delimiters = 0;
  for (let at = from; at < to; at += 1) if (bytes[at] === rules.delimiter) delimiters += 1;
  return delimiters + 1 === rules.columns;
}

/** @returns how many fields one line has; 0 when it breaks the rules of quotes */
export function countFields(bytes: Uint8Array, from: number, to: number, delimiter: number): number {
  let fields = 1;
  let at = from;
  while (at < to) {
    const isQuoted = bytes[at] === quote;
    if (isQuoted) {
      at = skipQuoted(bytes, at, to);
      if (at < 0 || (at < to && bytes[at] !== delimiter)) return 0;
    } else {
      while (at < to && bytes[at] !== delimiter) {
        if (bytes[at] === quote) return 0;
        at += 1;
      }
    }
    if (at < to) fields += 1;
    at += 1;
  }
  return fields;
}

/** @returns behind the closing quote; -1 when there is none */
export function skipQuoted(bytes: Uint8Array, opening: number, to: number): number {
  let at = opening + 1;
  for (;;) {
    while (at < to && bytes[at] !== quote) at += 1;
    if (at >= to) return -1;
    if (at + 1 < to && bytes[at + 1] === quote) at += 2;
    else return at + 1;
  }
}
