import type { BlobWriter } from '../../../platform/storage/blobs.ts';
import type { CheckpointFiles } from '../log/checkpoint-files.ts';
import { listCheckpointActions } from './checkpoint.ts';
import type { LogFiles } from '../log/log-files.ts';
import type { Snapshot } from '../snapshots/snapshot.ts';

/**
 * Stores a checkpoint of a version, and points `_last_checkpoint` to it unless that has a newer one.
 *
 * @param now milliseconds since the Unix epoch
 */
export async function writeCheckpoint(
  blobs: BlobWriter,
  log: LogFiles,
  checkpoints: CheckpointFiles,
  snapshot: Snapshot,
  now: number,
): Promise<void> {
  const { version } = snapshot;
  let size = 0;
  const counted = function* () {
    for (const action of listCheckpointActions(snapshot, now)) {
      size += 1;
      yield action;
    }
  };
  const bytes = await checkpoints.write(counted());
  await blobs.put(log.checkpointBlob(version), bytes, { contentType: 'application/vnd.apache.parquet' });
  const known = await log.readLastCheckpoint();
  if (known && known.version >= version) return;
  const pointer = { version, size, sizeInBytes: bytes.length, numOfAddFiles: snapshot.files.size };
  await blobs.put(log.lastCheckpointBlob, JSON.stringify(pointer), {
    contentType: 'application/json',
    // Does not replace a pointer that another writer changed meanwhile.
    ...(known && { ifMatch: known.etag }),
  });
}
