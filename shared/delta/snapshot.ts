import type { AddFile, Metadata, Protocol, RemoveFile, Transaction } from './actions.ts';
import type { DeltaColumn } from './schema.ts';

/** All that a table is at one version. */
export interface Snapshot {
  readonly version: number;
  /** When it was committed: milliseconds since the Unix epoch, rising with the versions. */
  readonly timestamp: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly columns: readonly DeltaColumn[];
  /** By path, in the order in which the log last added them. */
  readonly files: ReadonlyMap<string, AddFile>;
  /** By path: files that were removed and not added again. A checkpoint forgets those past their retention. */
  readonly tombstones: ReadonlyMap<string, RemoveFile>;
  /** By application. */
  readonly transactions: ReadonlyMap<string, Transaction>;
}
