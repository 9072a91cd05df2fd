import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import type { BadRow, TextChunk, TextShape } from '../text-chunk.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { ChunkCutter, type ChunkSize } from '../cut-chunks.ts';
import { describeFault } from '../records/describe-fault.ts';
import { type Guess, guessEncoding } from '../bytes/encodings.ts';
import type { Positions } from '../records/positions.ts';
import { type Fault, faults, type RecordBatch } from '../records/record-batch.ts';
import { type Window } from '../bytes/window.ts';

export interface ChunkMakerOptions {
  readonly dir: string;
  readonly shape: TextShape;
  readonly chunkSize: ChunkSize;
  readonly maxRecordBytes: number;
  readonly positions: Positions;
  readonly onBad: (row: BadRow) => void | Promise<void>;
  readonly onChunk: (chunk: TextChunk) => Promise<void>;
}

const lineFeed = 0x0a;

/**
 * Sorts records into chunks and bad rows. Good records are moved together within the window if other bytes are between
 * them, and written from there: an unchanged file is written without copying records.
 */
export class ChunkMaker {
  records = 0;
  badRows = 0;
  chunks = 0;
  /** Badly encoded rows by their likely encoding. */
  readonly guesses = new Map<Guess, number>();
  readonly #options: ChunkMakerOptions;
  readonly #cutter: ChunkCutter;
  #writer: ChunkWriter | undefined;
  #writes: Promise<void>[] = [];
  // Positions in the window: [unwritten, moved) is written next, then [runFrom, runTo) after it has been moved there.
  #unwritten = 0;
  #moved = 0;
  #runFrom = 0;
  #runTo = 0;

  constructor(options: ChunkMakerOptions) {
    this.#options = options;
    this.#cutter = new ChunkCutter(options.chunkSize);
  }

  /** @param upTo the end of the batch's last record: `[window.from, upTo)` are whole records */
  async addBatch(window: Window, batch: RecordBatch, upTo: number): Promise<void> {
    const { bytes } = window;
    const isEncoded = isUtf8(bytes.subarray(window.from, upTo));
    for (let index = 0; index < batch.count; index += 1) {
      index = this.#addGood(window, batch, index, isEncoded);
      if (this.#hasEnded) await this.#endChunk(bytes);
      else if (index < batch.count) {
        const start = batch.starts[index]!;
        const end = batch.ends[index]!;
        const fault = batch.faults[index]! as Fault;
        const byteOffset = this.#options.positions.at(bytes, start);
        const byteLength = this.#options.positions.at(bytes, end) - byteOffset;
        const reported = this.addBad(bytes.subarray(start, end), fault, byteOffset, byteLength);
        if (reported) await reported;
      }
    }
  }

  addBad(content: Buffer, fault: Fault, byteOffset: number, byteLength: number): void | Promise<void> {
    this.records += 1;
    this.badRows += 1;
    // If both structure and encoding are wrong, the encoding is the likely cause.
    const isEncoded = fault === faults.tooLong || isUtf8(content);
    if (!isEncoded) {
      const guess = guessEncoding(content);
      this.guesses.set(guess, (this.guesses.get(guess) ?? 0) + 1);
    }
    const place = { row: this.records, byteOffset, byteLength };
    const { shape, maxRecordBytes, onBad } = this.#options;
    return onBad(describeFault(place, content, isEncoded ? fault : 'encoding', shape, maxRecordBytes));
  }

  /** Ends a window whose records have been added. Its bytes must not change until the promise resolves. */
  endWindow(bytes: Buffer): Promise<unknown> {
    this.#write(bytes);
    this.#runFrom = this.#runTo = this.#moved = this.#unwritten = 0;
    const writes = this.#writes;
    this.#writes = [];
    const done = Promise.all(writes);
    // A failure is thrown at the end of the chunk, or to the caller that awaits this.
    done.catch(() => undefined);
    return done;
  }

  /** Ends the last chunk. */
  async finish(bytes: Buffer): Promise<void> {
    if (this.#writer) await this.#endChunk(bytes);
  }

  async abandon(): Promise<void> {
    await this.#writer?.abandon();
  }

  #hasEnded = false;

  /** @returns the index of the first bad record, or of the record that ended the chunk (`#hasEnded`) */
  #addGood(window: Window, batch: RecordBatch, from: number, isEncoded: boolean): number {
    const { bytes, view } = window;
    const { starts, ends, faults: found, count } = batch;
    const { positions, chunkSize, dir } = this.#options;
    let runTo = this.#runTo;
    let index = from;
    this.#hasEnded = false;
    for (; index < count; index += 1) {
      const start = starts[index]!;
      const end = ends[index]!;
      if (found[index] !== 0 || (!isEncoded && !isUtf8(bytes.subarray(start, end)))) break;
      const sizeBytes = end - start + 1;
      let writer = this.#writer;
      if (writer === undefined) {
        this.chunks += 1;
        writer = new ChunkWriter(join(dir, `chunk-${String(this.chunks).padStart(6, '0')}`));
        this.#writer = writer;
      } else if (writer.sizeBytes + sizeBytes > chunkSize.maxBytes) {
        this.#cutter.cut();
        this.#hasEnded = true;
        index -= 1;
        break;
      }
      if (start !== runTo) {
        this.#runTo = runTo;
        this.#moveRun(bytes);
        this.#runFrom = start;
      }
      const offset = positions.at(bytes, start);
      this.records += 1;
      writer.add(this.records, offset, positions.at(bytes, end) - offset, sizeBytes);
      const isLast = this.#cutter.add(view, start, end);
      // Ends every record by a line feed. The window has room for one after the last record.
      bytes[end] = lineFeed;
      runTo = end + 1;
      if (isLast) {
        this.#hasEnded = true;
        break;
      }
    }
    this.#runTo = runTo;
    return index;
  }

  #moveRun(bytes: Buffer): void {
    if (this.#unwritten === this.#moved) {
      this.#unwritten = this.#runFrom;
      this.#moved = this.#runTo;
    } else {
      if (this.#moved !== this.#runFrom) bytes.copyWithin(this.#moved, this.#runFrom, this.#runTo);
      this.#moved += this.#runTo - this.#runFrom;
    }
    this.#runFrom = this.#runTo;
  }

  #write(bytes: Buffer): void {
    this.#moveRun(bytes);
    if (this.#writer && this.#moved > this.#unwritten) {
      this.#writes.push(this.#writer.write(bytes.subarray(this.#unwritten, this.#moved)));
    }
    this.#unwritten = this.#moved;
  }

  async #endChunk(bytes: Buffer): Promise<void> {
    this.#write(bytes);
    const writer = this.#writer!;
    this.#writer = undefined;
    await this.#options.onChunk(await writer.finish(this.#options.shape));
  }
}
