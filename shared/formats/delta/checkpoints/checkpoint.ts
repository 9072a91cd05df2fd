import type { Action } from '../log/actions.ts';
import { readTombstoneRetention } from '../retention.ts';
import type { Snapshot } from '../snapshots/snapshot.ts';

/** Whether a version gets a checkpoint: every tenth does, unless the table's configuration sets another interval. */
export function isCheckpointDue({ version, metadata }: Snapshot): boolean {
  const configured = Number(metadata.configuration['delta.checkpointInterval'] ?? 10);
  const interval = Number.isInteger(configured) && configured > 0 ? configured : 10;
  return version > 0 && version % interval === 0;
}

/**
 * The actions by which a reader can read a version without the log before it.
 *
 * @param now milliseconds since the Unix epoch; omits removed files that are past their retention by then
 * @see https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoints
 */
export function* listCheckpointActions(snapshot: Snapshot, now: number): Generator<Action> {
  yield { kind: 'protocol', protocol: snapshot.protocol };
  yield { kind: 'metaData', metadata: snapshot.metadata };
  for (const transaction of snapshot.transactions.values()) yield { kind: 'txn', transaction };
  const keepFrom = now - readTombstoneRetention(snapshot.metadata);
  for (const file of snapshot.tombstones.values()) {
    if ((file.deletionTimestamp ?? 0) > keepFrom)
      yield { kind: 'remove', file: { ...file, dataChange: false } };
  }
  for (const file of snapshot.files.values()) yield { kind: 'add', file: { ...file, dataChange: false } };
}
