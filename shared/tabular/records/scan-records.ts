import { setImmediate } from 'node:timers/promises';
import { type ByteReader, carryOver } from '../bytes/byte-reader.ts';
import type { ChunkMaker } from '../chunks/chunk-maker.ts';
import { maxRawBytes } from './describe-fault.ts';
import type { Positions } from './positions.ts';
import {
  createBatch,
  createWindow,
  faults,
  maxBatchRecords,
  type RecordBatch,
  type Window,
} from './record-batch.ts';
import { findLineEnd } from './resync.ts';

/** Of the file at a time: what is scanned in a millisecond or two. */
export const windowBytes = 1024 * 1024;

/** Other work on this thread gets its turn this often. */
const turnMs = 8;

export interface Scan {
  /** The file's head, to be scanned from `from` on. */
  readonly window: Window;
  readonly reader: ByteReader;
  readonly positions: Positions;
  readonly maker: ChunkMaker;
  readonly maxRecordBytes: number;
  readonly signal: AbortSignal;
  /** `scanCsv` or `scanJsonLines`, with its rules. */
  readonly scan: (window: Window, batch: RecordBatch) => number;
}

/** A record whose beginning was over the limit, while its end is looked for. */
interface LongRecord {
  readonly beginning: Buffer;
  readonly byteOffset: number;
}

/** Scans a file to its end, a window at a time: while one is written to chunks, the next is read and scanned. @returns the file's size, decompressed */
export async function scanRecords(scan: Scan): Promise<number> {
  const { reader, positions, maker, signal } = scan;
  const batch = createBatch();
  let { window } = scan;
  let spare = createWindow(windowBytes);
  let spareWrites: Promise<unknown> = Promise.resolve();
  let long: LongRecord | undefined;
  let turnAt = performance.now() + turnMs;
  for (;;) {
    signal.throwIfAborted();
    if (long) long = await endLong(window, long, scan);
    if (!long) {
      await scanWindow(window, batch, scan);
      long = beginLong(window, scan);
    }
    const writes = maker.endWindow(window.bytes);
    if (window.isLast && window.from >= window.to) break;
    await spareWrites;
    positions.drop(window.bytes, window.from);
    const length = chooseLength(window.to - window.from, scan.maxRecordBytes);
    const next = carryOver(window, spare, length);
    spare = window;
    spareWrites = writes;
    window = next;
    await reader.fill(window, length);
    if (performance.now() >= turnAt) {
      await setImmediate();
      turnAt = performance.now() + turnMs;
    }
  }
  await maker.finish(window.bytes);
  return positions.at(window.bytes, window.to);
}

async function scanWindow(window: Window, batch: RecordBatch, { scan, maker }: Scan): Promise<void> {
  do {
    batch.count = 0;
    const upTo = scan(window, batch);
    await maker.addBatch(window, batch, upTo);
    window.from = upTo;
  } while (batch.count === maxBatchRecords);
}

/** Twice what is left over: a record that does not fit is scanned anew each time. */
function chooseLength(leftOver: number, maxRecordBytes: number): number {
  const wanted = Math.min(leftOver * 2, maxRecordBytes + windowBytes);
  return Math.max(wanted, windowBytes, leftOver + 4096);
}

/** @returns the record that fills the window without a line end, and is over the limit already; its bytes are dropped */
function beginLong(window: Window, { positions, maxRecordBytes }: Scan): LongRecord | undefined {
  const { bytes, from, to } = window;
  if (window.isLast || to - from <= maxRecordBytes || findLineEnd(bytes, from, to) < to) return undefined;
  const beginning = Buffer.from(bytes.subarray(from, from + maxRawBytes + 1));
  const byteOffset = positions.at(bytes, from);
  window.from = to;
  return { beginning, byteOffset };
}

/** @returns the record, unless its end is in the window: scanning goes on there, with what looks like a blank line */
async function endLong(window: Window, long: LongRecord, scan: Scan): Promise<LongRecord | undefined> {
  const { bytes, from, to } = window;
  const end = findLineEnd(bytes, from, to);
  window.from = end;
  if (end === to && !window.isLast) return long;
  const byteLength = scan.positions.at(bytes, end) - long.byteOffset;
  await scan.maker.addBad(long.beginning, faults.tooLong, long.byteOffset, byteLength);
  return undefined;
}
