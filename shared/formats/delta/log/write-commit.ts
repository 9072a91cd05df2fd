import { isAppError, retryIntent } from '../../../core/errors.ts';
import type { BlobWriter } from '../../../platform/storage/blobs.ts';
import type { RetryDeps } from '../../../platform/storage/optimistic.ts';
import type { LogFiles } from './log-files.ts';

export interface CommitEntry {
  readonly version: number;
  readonly txnId: string;
  readonly body: Uint8Array;
}

const maxTries = 4;

/**
 * Creates a log entry unless it exists. After a failure with an unknown outcome it stays with this version until the owner
 * is known: continuing with the next version could commit twice.
 *
 * @returns the ETag of our entry; undefined when another writer has the version
 * @throws UNAVAILABLE, TIMEOUT… when the outcome remains unknown; a retry must then detect its own commit by its `txn`
 */
export async function writeCommit(
  blobs: BlobWriter,
  log: LogFiles,
  { clock, ids }: RetryDeps,
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
    await clock.sleep(ids.random() * 200 * tries);
  }
}
