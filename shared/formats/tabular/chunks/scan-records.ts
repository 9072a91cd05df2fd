import { createYielder } from '../../../core/async/yielder.ts';
import { type ByteReader, carryOver } from '../bytes/byte-reader.ts';
import type { ChunkMaker } from './chunk-maker.ts';
import { maxRawBytes } from '../records/describe-fault.ts';
import type { Positions } from '../records/positions.ts';
import { faults, maxBatchRecords, type RecordBatch } from '../records/record-batch.ts';
import type { Window } from '../bytes/window.ts';
import { findLineEnd } from '../records/resync.ts';

export interface Scan {
  /** The head of the file, to scan from `from` on. */
  readonly window: Window;
  readonly reader: ByteReader;
  readonly positions: Positions;
  readonly maker: ChunkMaker;
  readonly maxRecordBytes: number;
  /** The bytes that are scanned at a time. */
  readonly windowBytes: number;
  /** Reused for each batch. */
  readonly batch: RecordBatch;
  readonly signal: AbortSignal;
  /** `scanCsv` or `scanJsonLines`, with its rules. */
  readonly scan: (window: Window, batch: RecordBatch) => number;
}

/** A record that exceeds the limit, while its end is searched. */
interface LongRecord {
  readonly beginning: Buffer;
  readonly byteOffset: number;
}

/**
 * Scans a file to its end, one window at a time: while one is written to chunks, the next is read and scanned.
 *
 * @returns the size of the decompressed file
 */
export async function scanRecords(scan: Scan): Promise<number> {
  const { reader, positions, maker, signal, batch } = scan;
  let { window } = scan;
  let spare: Window | undefined;
  let spareWrites: Promise<unknown> = Promise.resolve();
  let long: LongRecord | undefined;
  const yieldIfDue = createYielder();
  for (;;) {
    signal.throwIfAborted();
    if (long) long = await endLong(window, long, scan);
    if (!long) {
      await scanWindow(window, batch, scan, yieldIfDue);
      long = beginLong(window, scan);
    }
    const writes = maker.endWindow(window.bytes);
    if (window.isLast && window.from >= window.to) break;
    await spareWrites;
    positions.drop(window.bytes, window.from);
    const length = chooseLength(window.to - window.from, scan);
    const next = carryOver(window, spare, length);
    spare = window;
    spareWrites = writes;
    window = next;
    await reader.fill(window, length);
  }
  await maker.finish(window.bytes);
  return positions.at(window.bytes, window.to);
}

async function scanWindow(
  window: Window,
  batch: RecordBatch,
  { scan, maker }: Scan,
  yieldIfDue: () => Promise<void> | undefined,
): Promise<void> {
  do {
    batch.count = 0;
    const upTo = scan(window, batch);
    await maker.addBatch(window, batch, upTo);
    window.from = upTo;
    await yieldIfDue();
  } while (batch.count === maxBatchRecords);
}

/** Twice the remaining bytes, because a record that does not fit is scanned again each time. */
function chooseLength(leftOver: number, { maxRecordBytes, windowBytes }: Scan): number {
  const wanted = Math.min(leftOver * 2, maxRecordBytes + windowBytes);
  return Math.max(wanted, windowBytes, leftOver + Math.ceil(windowBytes / 256));
}

/** @returns the record that fills the window without a line end and exceeds the limit; drops its bytes */
function beginLong(window: Window, { positions, maxRecordBytes }: Scan): LongRecord | undefined {
  const { bytes, from, to } = window;
  if (window.isLast || to - from <= maxRecordBytes || findLineEnd(bytes, from, to) < to) return undefined;
  const beginning = Buffer.from(bytes.subarray(from, Math.min(to, from + maxRawBytes + 1)));
  const byteOffset = positions.at(bytes, from);
  window.from = to;
  return { beginning, byteOffset };
}

/** @returns the record unless its end is in the window, where the scan continues at an apparent blank line */
async function endLong(window: Window, long: LongRecord, scan: Scan): Promise<LongRecord | undefined> {
  const { bytes, from, to } = window;
  const end = findLineEnd(bytes, from, to);
  const missing = maxRawBytes + 1 - long.beginning.length;
  const beginning =
    missing > 0
      ? Buffer.concat([long.beginning, bytes.subarray(from, Math.min(end, from + missing))])
      : long.beginning;
  window.from = end;
  if (end === to && !window.isLast) return { ...long, beginning };
  const byteLength = scan.positions.at(bytes, end) - long.byteOffset;
  await scan.maker.addBad(beginning, faults.tooLong, long.byteOffset, byteLength);
  return undefined;
}
