import type { CsvRules } from './csv-rules.ts';
import { addRecord, type Fault, faults, maxBatchRecords, type RecordBatch } from './record-batch.ts';
import { type Window } from '../bytes/window.ts';
import { findNextRecord } from './line-end.ts';
import { resolveFault } from './resync.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;

/**
 * Finds records from `window.from` on, until the bytes or the batch are used up. Blank lines are skipped.
 *
 * Counts fields four bytes at a time. A byte of a word is zero exactly where `~(((x & 0x7f…) + 0x7f…) | x | 0x7f…)` has its
 * highest bit set. `(x - 0x01…) & ~x & 0x80…` is cheaper but has false positives, so its matches are checked byte by byte.
 *
 * @returns the start of the first record that needs more bytes, or `window.to`
 * @see https://www.rfc-editor.org/rfc/rfc4180#section-2
 * @see https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
 */
export function scanCsv(window: Window, batch: RecordBatch, rules: CsvRules): number {
  const { bytes, words, to } = window;
  const { delimiter, columns, maxRecordBytes } = rules;
  const delimiters = Math.imul(delimiter, 0x01010101);
  // Sentinels that stop the loops: a line end, and a quote.
  bytes[to] = lineFeed;
  bytes[to + 1] = quote;
  bytes[to + 2] = lineFeed;
  let start = window.from;
  while (start < to && batch.count < maxBatchRecords) {
    let at = start;
    let fields = 1;
    let fault: Fault = faults.none;
    record: for (;;) {
      // Outside of quotes.
      if ((at & 3) === 0) {
        for (;;) {
          const word = words[at >> 2]!;
          const feed = word ^ 0x0a0a0a0a;
          const carriage = word ^ 0x0d0d0d0d;
          const quoted = word ^ 0x22222222;
          const stops =
            ((feed - 0x01010101) & ~feed) |
            ((carriage - 0x01010101) & ~carriage) |
            ((quoted - 0x01010101) & ~quoted);
          if ((stops & 0x80808080) !== 0) break;
          const found = word ^ delimiters;
          const zeros = ~(((found & 0x7f7f7f7f) + 0x7f7f7f7f) | 0 | found | 0x7f7f7f7f);
          fields += Math.imul(zeros >>> 7, 0x01010101) >>> 24;
          at += 4;
        }
      }
      const byte = bytes[at]!;
      at += 1;
      if (byte === delimiter) fields += 1;
      else if (byte === lineFeed || byte === carriageReturn) break;
      else if (byte === quote) {
        if (at - 1 > start && bytes[at - 2] !== delimiter) {
          fault = faults.quoteInField;
          break;
        }
        for (;;) {
          while (bytes[at] !== quote) at += 1;
          if (at >= to) {
            at = to;
            fault = faults.unterminatedQuote;
            break record;
          }
          const next = bytes[at + 1]!;
          at += 2;
          if (next === quote) continue;
          if (next === delimiter) {
            fields += 1;
            break;
          }
          if (next === lineFeed || next === carriageReturn) break record;
          fault = faults.textAfterQuote;
          break record;
        }
      }
    }
    // `at` is after the byte that ended the record, or revealed the fault.
    let end = Math.min(at - 1, to);
    let next = at;
    if (fault === faults.none) {
      next = findNextRecord(window, at);
      if (next < 0) break;
      if (end === start) {
        start = next;
        continue;
      }
      if (fields !== columns) fault = faults.ragged;
      else if (end - start > maxRecordBytes) fault = faults.tooLong;
    }
    if (fault !== faults.none) {
      const span = resolveFault(window, start, at, fault, rules);
      if (span === undefined) break;
      ({ fault, end, next } = span);
    }
    addRecord(batch, start, end, fault);
    start = next;
  }
  return start;
}
