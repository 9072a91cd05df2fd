import type { Column } from '../../schema/column.ts';
import type { LocalDataFile } from '../staging/local-data-file.ts';

/** Merges local Parquet files. */
export interface TableMerger {
  /** Requires keys that are not null, and unique among the incoming rows. */
  merge(job: MergeJob): Promise<MergedTables>;
}

export interface MergeJob {
  /** Local Parquet files. A column that a file lacks is null in all its rows. */
  readonly existing: readonly string[];
  readonly incoming: readonly string[];
  readonly keys: readonly string[];
  /** Of the result, in order. */
  readonly columns: readonly Column[];
  /** Where results are written. All given files are in it or below. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface MergedTables {
  /** By index into `existing`: the files with a changed row. */
  readonly rewritten: ReadonlyMap<number, LocalDataFile>;
  /** Incoming rows with new keys, in order. Omitted when there are none. */
  readonly inserted?: LocalDataFile;
  /** Rows that changed. A row that equals the existing one does not count. */
  readonly updated: number;
}
