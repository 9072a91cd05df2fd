const mib = 1024 * 1024;

/** What a text file may ask of this machine. */
export interface TextLimits {
  /** A longer record is bad (`TOO_LONG`), and is not held in memory. */
  readonly maxRecordBytes: number;
  /** Of the file, decompressed. */
  readonly maxBytes: number;
  /** Decompressed bytes for each compressed one, once there are 64 MiB of them: more is taken for a bomb. */
  readonly maxRatio: number;
  readonly maxColumns: number;
}

export const defaultTextLimits: TextLimits = {
  maxRecordBytes: 16 * mib,
  maxBytes: 64 * 1024 * mib,
  maxRatio: 500,
  maxColumns: 20_000,
};
