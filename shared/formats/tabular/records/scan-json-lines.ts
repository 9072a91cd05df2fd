import { addRecord, type Fault, faults, maxBatchRecords, type RecordBatch } from './record-batch.ts';
import { findNextRecord } from './line-end.ts';
import { type Window } from '../bytes/window.ts';

export interface JsonLinesRules {
  readonly maxRecordBytes: number;
}

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;

/** Deeper values break recursive parsers; 1,000 is also the limit of Python's and Jackson's. */
export const maxJsonDepth = 1_000;

/**
 * Finds lines from `window.from` on, as `scanCsv` finds records. Checks lines only for control characters, which JSON
 * forbids, and for depth, which is unsafe to parse. Skips blank lines. A lone `\r` ends a line as well: within a line it
 * could only be whitespace.
 *
 * @returns as `scanCsv`
 * @see https://jsonlines.org/
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-7
 */
export function scanJsonLines(window: Window, batch: RecordBatch, rules: JsonLinesRules): number {
  const { bytes, words, to } = window;
  bytes[to] = lineFeed;
  let start = window.from;
  while (start < to && batch.count < maxBatchRecords) {
    let at = start;
    let fault: Fault = faults.none;
    for (;;) {
      if ((at & 3) === 0) {
        // Four bytes at a time, until one of them is, or seems to be, below 0x20.
        for (;;) {
          const word = words[at >> 2]!;
          if (((word - 0x20202020) & ~word & 0x80808080) !== 0) break;
          at += 4;
        }
      }
      const byte = bytes[at]!;
      at += 1;
      if (byte >= space || byte === tab) continue;
      if (byte === lineFeed || byte === carriageReturn) break;
      fault = faults.controlCharacter;
    }
    const end = Math.min(at - 1, to);
    const next = findNextRecord(window, at);
    if (next < 0) break;
    if (!isBlank(bytes, start, end)) {
      if (end - start > rules.maxRecordBytes) fault = faults.tooLong;
      else if (fault === faults.none && end - start > maxJsonDepth && isTooDeep(bytes, start, end))
        fault = faults.tooDeep;
      addRecord(batch, start, end, fault);
    }
    start = next;
  }
  return start;
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && (bytes[at] === space || bytes[at] === tab)) at += 1;
  return at === end;
}

/** Whether arrays and objects are nested too deeply. Ignores brackets in strings. */
function isTooDeep(bytes: Uint8Array, start: number, end: number): boolean {
  let depth = 0;
  let isString = false;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte === 0x22) isString = !isString;
    else if (isString) {
      if (byte === 0x5c) at += 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > maxJsonDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}
