/**
 * Consecutive whole records of a text file, in a local file of their own: UTF-8, no header, each record ended by
 * one line feed. Cut where the content says so (see `cut-chunks.ts`), so that a change in one place of a big file leaves the
 * other chunks byte for byte as they were.
 */
export interface TextChunk extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** Where each record starts in `path`, and at last where the last one ends, behind its line feed. */
  readonly starts: Uint32Array;
  readonly shape: TextShape;
  readonly records: number;
  /** Number, from 1, of the chunk's first record among all of the file's data records, bad ones counted. */
  readonly numbers: Float64Array;
  /** Where each record starts in the file (decompressed), and how many bytes it has without its line end. */
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

/** `csv`: RFC 4180 with this delimiter, `"` quotes doubled inside; every record has as many fields as the header. */
export type TextShape =
  | { readonly kind: 'csv'; readonly delimiter: string; readonly header: readonly string[] }
  | { readonly kind: 'jsonl' };

/** A row that did not become one, whole: nothing that was dropped disappears. */
export interface BadRow {
  /** Its number, from 1, among the file's data records. */
  readonly row: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Left out when it is the row as a whole that is wrong. */
  readonly column?: string;
  /** `UNTERMINATED_QUOTE`, `RAGGED_ROW`, `WRONG_TYPE`, `OUT_OF_RANGE`, `CONSTRAINT`, `BAD_ENCODING`, `TOO_LONG`… */
  readonly code: string;
  /** For people: what is wrong, and what was expected. */
  readonly reason: string;
  /** As it stood in the file; bytes that are no UTF-8 as Latin-1 with `isLatin1`. Cut to 64 KiB with `isCut`. */
  readonly raw: string;
  readonly isLatin1?: boolean;
  readonly isCut?: boolean;
}
