import { isAppError } from '../../core/errors.ts';
import type { BlobBody, BlobRef, BlobWriter } from './blobs.ts';

/** Stores bytes under a name that says what they are: if they are there already, there is nothing to do. */
export async function putOnce(
  blobs: BlobWriter,
  ref: BlobRef,
  body: BlobBody,
  contentType: string,
): Promise<void> {
  try {
    await blobs.put(ref, body, { contentType, ifAbsent: true });
  } catch (error) {
    if (!isAppError(error, 'ALREADY_EXISTS')) throw error;
  }
}
