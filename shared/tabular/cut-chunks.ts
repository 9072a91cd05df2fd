/** When a chunk ends, in records. Kept by the table, so that later versions are cut alike and share chunks. */
export interface ChunkSize {
  readonly minRecords: number;
  /** A power of two. */
  readonly targetRecords: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
}
