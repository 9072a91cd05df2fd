import { type Fault, faults } from './record-batch.ts';
import { type Window } from '../bytes/window.ts';
import type { CsvRules } from './csv-rules.ts';

/** The extent of a bad record, and where the next one starts. */
export interface BadSpan {
  readonly fault: Fault;
  readonly end: number;
  readonly next: number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;

/** Quarantine keeps up to this many bytes of a record, so a bad record may span several lines. */
const maxSpanBytes = 64 * 1024;

/**
 * Finds where the file continues after a record that breaks at `at`.
 *
 * A fault on the record's first line invalidates that line. If quoted line ends precede the fault, there are two
 * readings: a stray quote, and the following lines are records; or a multi-line text with a fault. If more than half of
 * the quoted lines have as many fields as a record, only the first line is bad, and the others are scanned again. So a
 * stray quote costs one line, and lines of a text do not become records. With a single column this cannot be decided, and
 * the whole span is bad, up to 64 KiB.
 *
 * @returns undefined when more bytes are needed to decide
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

/** @returns undefined when the line end may be incomplete */
function endAt(window: Window, end: number, fault: Fault): BadSpan | undefined {
  const { bytes, to, isLast } = window;
  if (end + 1 >= to && !isLast && bytes[end] !== lineFeed) return undefined;
  return { fault, end, next: skipLineEnd(bytes, end, to) };
}

/** @returns the position of the first `\n` or `\r`, or `to` */
export function findLineEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== lineFeed && bytes[at] !== carriageReturn) at += 1;
  return at;
}

/** @returns the position after the `\n`, `\r\n` or `\r`, at most `to` */
export function skipLineEnd(bytes: Uint8Array, at: number, to: number): number {
  const isPair = bytes[at] === carriageReturn && at + 1 < to && bytes[at + 1] === lineFeed;
  return Math.min(to, at + (isPair ? 2 : 1));
}

/** Whether more than half of the lines resemble records. */
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

/** Whether a line is a record, or would be one without its quotes. */
function resemblesRecord(bytes: Uint8Array, from: number, to: number, rules: CsvRules): boolean {
  if (countFields(bytes, from, to, rules.delimiter) === rules.columns) return true;
  let delimiters = 0;
  for (let at = from; at < to; at += 1) if (bytes[at] === rules.delimiter) delimiters += 1;
  return delimiters + 1 === rules.columns;
}

/** @returns the number of fields of one line; 0 for invalid quotes */
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

/** @returns the position after the closing quote; -1 when there is none */
export function skipQuoted(bytes: Uint8Array, opening: number, to: number): number {
  let at = opening + 1;
  for (;;) {
    while (at < to && bytes[at] !== quote) at += 1;
    if (at >= to) return -1;
    if (at + 1 < to && bytes[at + 1] === quote) at += 2;
    else return at + 1;
  }
}
