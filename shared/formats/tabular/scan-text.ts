import type { BadRow, TextChunk, TextShape } from './text-chunk.ts';
import { ByteReader } from './bytes/byte-reader.ts';
import { ChunkMaker } from './chunks/chunk-maker.ts';
import { type ChunkSize, chooseChunkSize } from './cut-chunks.ts';
import { decompress } from './bytes/decompress.ts';
import { emptyFile, type TextFormat } from './detect-format.ts';
import { BoundedQueue } from '../../core/async/bounded-queue.ts';
import { defaultTextLimits, type TextLimits } from './limits.ts';
import { createPositions } from './records/positions.ts';
import { readHead } from './read-head.ts';
import { createBatch } from './records/record-batch.ts';
import { type Window } from './bytes/window.ts';
import { scanCsv } from './records/scan-csv.ts';
import { scanJsonLines } from './records/scan-json-lines.ts';
import { type Scan, scanRecords } from './chunks/scan-records.ts';
import { hasUtf8Mark, readUtf16Mark } from './bytes/signatures.ts';
import { transcodeUtf16 } from './bytes/transcode-utf16.ts';

/** Of the file at a time: what is scanned in a millisecond or two. */
const defaultWindowBytes = 1024 * 1024;

/** How many chunks wait on disk. */
const maxWaitingChunks = 3;

export interface ScanOptions {
  readonly format: TextFormat;
  /** An existing folder of its own, for chunk files. */
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Told of each bad record, in the order of the file; waited for. What it throws ends the scan. */
  readonly onBad: (row: BadRow) => void | Promise<void>;
  readonly limits?: Partial<TextLimits>;
  /** That of the table's earlier versions; from the file's first MiB when left out. */
  readonly chunkSize?: ChunkSize;
  /** One ASCII character; found out when left out. */
  readonly delimiter?: string;
  /** `present`: the first record is the header however it looks; names: there is none, these are the columns. */
  readonly header?: 'present' | readonly string[];
  /** How much is read and scanned at a time, and is looked at to find out what is left out above; 1 MiB. */
  readonly windowBytes?: number;
}

/** A scan under way. Disposing of it stops it and removes the chunk files nobody has taken. */
export interface TextScan extends AsyncDisposable {
  readonly shape: TextShape;
  /** What was decided that may surprise, for people. */
  readonly notes: readonly string[];
  readonly chunkSize: ChunkSize;
  /**
   * Once. At most 3 chunks wait on disk to be taken; who takes one disposes of it.
   *
   * @throws UNPROCESSABLE (cut off, corrupt), PAYLOAD_TOO_LARGE, what the source or `onBad` throws, the signal's reason
   */
  chunks(): AsyncIterable<TextChunk>;
  /** After the end of `chunks`: `records` = those in chunks + `badRows`. */
  totals(): ScanTotals;
}

export interface ScanTotals {
  readonly records: number;
  readonly badRows: number;
  /** Decompressed, header and blank lines included. */
  readonly bytes: number;
  readonly chunks: number;
  /** What only the end shows: that the file as a whole seems to be of another encoding, and the remedy. */
  readonly notes: readonly string[];
}

/**
 * Reads the head of a text file and says what it is; its records follow by `chunks()`.
 *
 * @param source the file's bytes as they lie there, compressed or not
 * @throws UNPROCESSABLE (empty, no text, header missing or with names that are not unique), PAYLOAD_TOO_LARGE
 */
export async function scanText(source: AsyncIterable<Uint8Array>, options: ScanOptions): Promise<TextScan> {
  const limits = { ...defaultTextLimits, ...options.limits };
  const content = new ByteReader(decompress(source, options.format.compression, limits));
  try {
    return await openScan(content, options, limits);
  } catch (error) {
    await content.close();
    throw error;
  }
}

async function openScan(content: ByteReader, options: ScanOptions, limits: TextLimits): Promise<TextScan> {
  const mark = await content.peek(3);
  const utf16 = readUtf16Mark(mark);
  const markBytes = utf16 ? 2 : hasUtf8Mark(mark) ? 3 : 0;
  for await (const _ of content.take(markBytes));
  const reader = utf16 ? new ByteReader(transcodeUtf16(content.take(Infinity), utf16)) : content;
  const windowBytes = options.windowBytes ?? defaultWindowBytes;
  const { shape, notes, window } = await readHead(reader, {
    kind: options.format.format,
    limits,
    windowBytes,
    delimiter: options.delimiter,
    header: options.header,
  });
  const scan = createScan(shape, limits.maxRecordBytes);
  const bytesPerRecord = measureRecords(window, shape, scan);
  const chunkSize = options.chunkSize ?? chooseChunkSize(bytesPerRecord);
  const positions = createPositions(markBytes, utf16 !== undefined);
  return new Scanning({
    shape,
    notes: utf16
      ? [...notes, 'The file is UTF-16, and was read as such; byte positions are those of the file.']
      : notes,
    chunkSize,
    options,
    close: async () => {
      if (reader !== content) await reader.close();
      await content.close();
    },
    work: {
      window,
      reader,
      positions,
      maxRecordBytes: limits.maxRecordBytes,
      windowBytes,
      signal: options.signal,
      scan,
    },
  });
}

function createScan(shape: TextShape, maxRecordBytes: number): Scan['scan'] {
  switch (shape.kind) {
    case 'csv': {
      const rules = {
        delimiter: shape.delimiter.charCodeAt(0),
        columns: shape.header.length,
        maxRecordBytes,
      };
      return (window, batch) => scanCsv(window, batch, rules);
    }
    case 'jsonl':
      return (window, batch) => scanJsonLines(window, batch, { maxRecordBytes });
  }
}

/**
 * @returns the average size of the window's records
 * @throws UNPROCESSABLE when it is all of the file, and there is none where there is no header either
 */
function measureRecords(window: Window, shape: TextShape, scan: Scan['scan']): number {
  const batch = createBatch();
  const upTo = scan(window, batch);
  if (batch.count > 0) return (upTo - window.from) / batch.count;
  if (window.isLast && shape.kind === 'jsonl') throw emptyFile();
  return window.to - window.from;
}

interface ScanningParts {
  readonly shape: TextShape;
  readonly notes: readonly string[];
  readonly chunkSize: ChunkSize;
  readonly options: ScanOptions;
  readonly work: Omit<Scan, 'maker'>;
  close(): Promise<void>;
}

class Stopped extends Error {}

class Scanning implements TextScan {
  readonly shape: TextShape;
  readonly notes: readonly string[];
  readonly chunkSize: ChunkSize;
  readonly #parts: ScanningParts;
  readonly #maker: ChunkMaker;
  readonly #chunks = new BoundedQueue<TextChunk>(maxWaitingChunks);
  #work: Promise<void> | undefined;
  #bytes = 0;

  constructor(parts: ScanningParts) {
    const { shape, notes, chunkSize, options, work } = parts;
    this.#parts = parts;
    this.shape = shape;
    this.notes = notes;
    this.chunkSize = chunkSize;
    this.#maker = new ChunkMaker({
      dir: options.dir,
      shape,
      chunkSize,
      maxRecordBytes: work.maxRecordBytes,
      positions: work.positions,
      onBad: options.onBad,
      onChunk: async (chunk) => {
        if (await this.#chunks.put(chunk)) return;
        await chunk[Symbol.asyncDispose]();
        throw new Stopped();
      },
    });
  }

  async *chunks(): AsyncGenerator<TextChunk> {
    if (this.#work) throw new TypeError('The chunks of a scan can be walked through once.');
    this.#work = this.#run();
    // Awaited at the end.
    this.#work.catch(() => undefined);
    try {
      for (let chunk = await this.#chunks.take(); chunk; chunk = await this.#chunks.take()) yield chunk;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  totals(): ScanTotals {
    const { records, badRows, chunks } = this.#maker;
    return { records, badRows, chunks, bytes: this.#bytes, notes: this.#describeEncoding() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks.close();
    this.#work ??= this.#parts.close();
    await this.#work;
    for (const chunk of this.#chunks.drain()) await chunk[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    try {
      this.#bytes = await scanRecords({ ...this.#parts.work, maker: this.#maker });
      this.#chunks.close();
    } catch (error) {
      await this.#maker.abandon();
      this.#chunks.close({ error });
    } finally {
      await this.#parts.close();
    }
  }

  #describeEncoding(): readonly string[] {
    const western = this.#maker.guesses.get('windows-1252') ?? 0;
    if (western * 100 <= this.#maker.records) return [];
    return [
      `${western} of ${this.#maker.records} records are not UTF-8: the file seems to be Windows-1252 (Latin-1). Convert it, and drop it again: iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`,
    ];
  }
}
