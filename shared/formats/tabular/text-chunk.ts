/**
 * Consecutive records of a text file, in a local file: UTF-8, without a header, each record ended by one line feed. Cut by
 * content (see `cut-chunks.ts`), so that a change in one place of a big file does not affect the bytes of other chunks.
 */
export interface TextChunk extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** Where each record starts in `path`, and finally the end of the last one, after its line feed. */
  readonly starts: Uint32Array;
  readonly shape: TextShape;
  readonly records: number;
  /** The number of each record, from 1, among all data records of the file, including bad ones. */
  readonly numbers: Float64Array;
  /** Where each record starts in the decompressed file, and its bytes without the line end. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

/** `csv`: RFC 4180 with this delimiter; every record has as many fields as the header. */
export type TextShape =
  | { readonly kind: 'csv'; readonly delimiter: string; readonly header: readonly string[] }
  | { readonly kind: 'jsonl' };

/** A bad row, with its text. */
export interface BadRow {
  /** Its number, from 1, among the data records of the file. */
  readonly row: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Omitted if the fault concerns the whole row. */
  readonly column?: string;
  /** `UNTERMINATED_QUOTE`, `RAGGED_ROW`, `WRONG_TYPE`, `OUT_OF_RANGE`, `CONSTRAINT`, `BAD_ENCODING`, `TOO_LONG`… */
  readonly code: string;
  /** What is wrong, and what is expected. */
  readonly reason: string;
  /** The text in the file. Bytes that are not UTF-8 are read as Latin-1, with `isLatin1`. Cut to 64 KiB, with `isCut`. */
  readonly raw: string;
  readonly isLatin1?: boolean;
  readonly isCut?: boolean;
}
