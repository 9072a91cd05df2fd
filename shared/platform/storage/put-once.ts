import { isAppError } from '../../core/errors.ts';
import type { BlobBody, BlobRef, BlobWriter } from './blobs.ts';

/** Stores a blob under a name that identifies its content; does nothing when the blob exists. */
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
