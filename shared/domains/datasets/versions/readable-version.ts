import type { Column } from '../schema/column.ts';
import type { DataFile } from '../tables/data-file.ts';

/** All that is needed to read a version. */
export interface ReadableVersion {
  readonly dataset: string;
  readonly version: number;
  /** Equal for equal contents that are stored in the same way. Cursors are bound to it. */
  readonly sha256: string;
  readonly columns: readonly Column[];
  /** In row order. A column that a file lacks is null in all its rows. */
  readonly files: readonly DataFile[];
}

export interface VersionResolver {
  /**
   * @param version a number, `latest`, or another name of a version
   * @throws NOT_FOUND; INVALID_ARGUMENT for text that cannot name a version
   */
  resolve(dataset: string, version: string): Promise<ReadableVersion>;
}
