import type { Column } from '../schema/column.ts';

/** An immutable file of a version: Parquet in the `datasets` container. */
export interface DataFile {
  /** The blob's name: `<dataset>/<sha256>.parquet`. */
  readonly path: string;
  /** Of its bytes. Left out for a file that another writer put into the table: then only its size is checked. */
  readonly sha256?: string;
  readonly sizeBytes: number;
  readonly rows: number;
}

/** All there is to know to read a version. */
export interface ReadableVersion {
  readonly dataset: string;
  readonly version: number;
  /** Equal for equal contents that are stored in the same way: what caches and cursors are bound to. */
  readonly sha256: string;
  readonly columns: readonly Column[];
  /** In the order of their rows. A file may lack columns that came later: they are null in all its rows. */
  readonly files: readonly DataFile[];
}

export interface VersionResolver {
  /**
   * @param version a number, `latest`, or whatever else names a version of the dataset
   * @throws NOT_FOUND; INVALID_ARGUMENT for what cannot name a version
   */
  resolve(dataset: string, version: string): Promise<ReadableVersion>;
}
