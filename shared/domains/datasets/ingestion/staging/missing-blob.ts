import { blobErrors } from '../../../../platform/storage/blob-errors.ts';

/** Excludes a missing container: that is a mistake in the configuration, not a deleted file. */
export function isMissingBlob(error: unknown): boolean {
  return blobErrors.blobMissing.is(error);
}
