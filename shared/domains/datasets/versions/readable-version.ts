import type { Column } from '../schema/column.ts';
import type { DataFile } from '../tables/data-file.ts';

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
