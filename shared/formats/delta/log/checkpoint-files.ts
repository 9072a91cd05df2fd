import type { Action } from './actions.ts';

/**
 * Checkpoints as Parquet files: one row an action, in one column by its kind (`txn`, `add`, `remove`, `metaData`,
 * `protocol`), every field nullable.
 *
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoint-schema
 */
export interface CheckpointFiles {
  write(actions: Iterable<Action>): Promise<Uint8Array>;
  /** In the order of the file; columns and members that are not known are passed over. @throws UNPROCESSABLE */
  read(bytes: Uint8Array): AsyncIterable<Action>;
}
