import { isAppError } from '../../../../core/errors.ts';

/** Excludes a missing container: that is a mistake in the configuration, not a deleted file. */
export function isMissingBlob(error: unknown): boolean {
  return isAppError(error, 'NOT_FOUND') && error.details['reason'] === 'BlobNotFound';
}
