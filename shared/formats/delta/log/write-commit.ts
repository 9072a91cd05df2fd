import { isAppError, retryIntent } from '../../../core/errors.ts';
import type { BlobStore } from '../../../platform/storage/blobs.ts';
import type { Pace } from '../../../platform/storage/optimistic.ts';
import type { LogFiles } from './log-files.ts';

export interface CommitEntry {
  readonly version: number;
  readonly txnId: string;
  readonly body: Uint8Array;
}

const maxTries = 4;

/**
 * Puts a log entry where none is. After a failure that says nothing of the outcome it stays with this version until
 * it is known who has it: going on to the next one could commit twice.
 *
 * @returns the ETag of our entry; undefined when another writer has the version
 * @throws UNAVAILABLE, TIMEOUT… when the outcome stays unknown; the same commit asked for again then must know itself by its `txn`
 */
export async function writeCommit(
  blobs: BlobStore,
  log: LogFiles,
  pace: Pace,
  { version, txnId, body }: CommitEntry,
): Promise<string | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      const options = { contentType: 'application/json', ifAbsent: true };
      return (await blobs.put(log.commitBlob(version), body, options)).etag;
    } catch (error) {
      const isTaken = isAppError(error, 'ALREADY_EXISTS') || isAppError(error, 'PRECONDITION_FAILED');
      if (!isTaken && retryIntent(error) !== 'later') throw error;
      const stored = await log.readInfo(version);
      if (stored) return stored.info?.txnId === txnId ? stored.etag : undefined;
      if (tries === maxTries) throw error;
    }
    await pace.clock.sleep(pace.ids.random() * 200 * tries);
  }
}
