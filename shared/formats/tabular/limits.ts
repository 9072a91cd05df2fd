const mib = 1024 * 1024;

/** Limits on text files. */
export interface TextLimits {
  /** A longer record is bad (`TOO_LONG`), and not held in memory. */
  readonly maxRecordBytes: number;
  /** Of the decompressed file. */
  readonly maxBytes: number;
  /** Decompressed bytes per compressed byte, checked from 64 MiB on: more counts as a decompression bomb. */
  readonly maxRatio: number;
  readonly maxColumns: number;
}

export const defaultTextLimits: TextLimits = {
  maxRecordBytes: 16 * mib,
  maxBytes: 64 * 1024 * mib,
  maxRatio: 500,
  maxColumns: 20_000,
};
