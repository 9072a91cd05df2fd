import type { Action } from './actions.ts';

/**
 * Reads and writes checkpoints as Parquet files: one row per action, in the column of its kind (`txn`, `add`, `remove`,
 * `metaData`, `protocol`), every field nullable.
 *
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoint-schema
 */
export interface CheckpointFiles {
  write(actions: Iterable<Action>): Promise<Uint8Array>;
  /** In the order of the file. Ignores unknown columns and members. @throws UNPROCESSABLE for an invalid file */
  read(bytes: Uint8Array): AsyncIterable<Action>;
}
