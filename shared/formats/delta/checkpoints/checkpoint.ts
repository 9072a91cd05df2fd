import type { Action } from '../log/actions.ts';
import { readTombstoneRetention } from '../retention.ts';
import type { Snapshot } from '../snapshots/snapshot.ts';

/** Whether the writer of a version makes a checkpoint of it: each tenth, or as the table's configuration says. */
export function isCheckpointDue({ version, metadata }: Snapshot): boolean {
  const configured = Number(metadata.configuration['delta.checkpointInterval'] ?? 10);
  const interval = Number.isInteger(configured) && configured > 0 ? configured : 10;
  return version > 0 && version % interval === 0;
}

/**
 * All that a reader needs to know of a version, without the log before it.
 *
 * @param now removed files past their retention at this moment are left out; milliseconds since the Unix epoch
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
