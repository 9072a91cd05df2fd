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
import { createBatch, type RecordBatch } from './records/record-batch.ts';
import { type Window } from './bytes/window.ts';
import { scanCsv } from './records/scan-csv.ts';
import { scanJsonLines } from './records/scan-json-lines.ts';
import { type Scan, scanRecords } from './chunks/scan-records.ts';
import { hasUtf8Mark, readUtf16Mark } from './bytes/signatures.ts';
import { transcodeUtf16 } from './bytes/transcode-utf16.ts';

/** Scanned in one or two milliseconds. */
const defaultWindowBytes = 1024 * 1024;

/** The number of chunks that wait on disk. */
const maxWaitingChunks = 3;

export interface ScanOptions {
  readonly format: TextFormat;
  /** An existing folder for chunk files that nothing else uses. */
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Called for each bad record, in file order, and awaited. An error ends the scan. */
  readonly onBad: (row: BadRow) => void | Promise<void>;
  readonly limits?: Partial<TextLimits>;
  /** That of the table's earlier versions. By default it is chosen by the file's first MiB. */
  readonly chunkSize?: ChunkSize;
  /** One ASCII character. By default it is detected. */
  readonly delimiter?: string;
  /** `present`: the first record is the header even if it looks like data. Names: the file has no header. */
  readonly header?: 'present' | readonly string[];
  /** The bytes that are scanned at a time, and by which the defaults above are detected. 1 MiB by default. */
  readonly windowBytes?: number;
}

/** A running scan. Disposing of it stops it and removes untaken chunk files. */
export interface TextScan extends AsyncDisposable {
  readonly shape: TextShape;
  /** Decisions that may surprise. */
  readonly notes: readonly string[];
  readonly chunkSize: ChunkSize;
  /**
   * May be called once. At most 3 chunks wait on disk; the caller disposes of each chunk.
   *
   * @throws UNPROCESSABLE (truncated, damaged), PAYLOAD_TOO_LARGE, errors of the source and of `onBad`, the signal's reason
   */
  chunks(): AsyncIterable<TextChunk>;
  /** Valid after the end of `chunks`: `records` = records in chunks + `badRows`. */
  totals(): ScanTotals;
}

export interface ScanTotals {
  readonly records: number;
  readonly badRows: number;
  /** Decompressed, with the header and blank lines. */
  readonly bytes: number;
  readonly chunks: number;
  /** Whether the whole file seems to have another encoding, and the remedy. */
  readonly notes: readonly string[];
}

/**
 * Reads the head of a text file and detects its shape. `chunks()` returns its records.
 *
 * @param source the bytes of the file, compressed or not
 * @throws UNPROCESSABLE (empty, not text, header missing or with duplicate names), PAYLOAD_TOO_LARGE
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
  const batch = createBatch();
  const bytesPerRecord = measureRecords(window, batch, shape, scan);
  const chunkSize = options.chunkSize ?? chooseChunkSize(bytesPerRecord);
  const positions = createPositions(markBytes, utf16 !== undefined);
  return new Scanning({
    shape,
    notes: utf16 ? [...notes, 'The file is UTF-16. Byte positions refer to the file.'] : notes,
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
      batch,
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
 * @throws UNPROCESSABLE for a file without a header and without records
 */
function measureRecords(window: Window, batch: RecordBatch, shape: TextShape, scan: Scan['scan']): number {
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
    if (this.#work) throw new TypeError('The chunks of a scan can be read once only.');
    this.#work = this.#run();
    // A failure is thrown at the end.
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
      `${western} of ${this.#maker.records} records are not UTF-8: the file seems to be Windows-1252 (Latin-1). Convert it and drop it again: iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`,
    ];
  }
}
