import { AppError } from '../core/errors.ts';
import type { BadRow, TextChunk, TextShape } from '../datasets/ingestion/ports.ts';
import type { ChunkSize } from './cut-chunks.ts';
import type { TextFormat } from './detect-format.ts';
import type { TextLimits } from './limits.ts';

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
export async function scanText(_source: AsyncIterable<Uint8Array>, _options: ScanOptions): Promise<TextScan> {
  throw new AppError('NOT_IMPLEMENTED', 'Not yet.');
}
