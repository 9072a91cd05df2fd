import { AppError } from '../../../core/errors.ts';
import { writeMarkerName } from '../../../platform/storage/blob-rules.ts';
import type { BlobProperties, BlobRef } from '../../../platform/storage/blobs.ts';

/** What the SDK's answers about a blob have in common. */
export interface BlobAnswer {
  readonly etag?: string | undefined;
  readonly contentLength?: number | undefined;
  readonly contentType?: string | undefined;
  readonly lastModified?: Date | string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Metadata names come back in lower case: as headers they lose their case on the way, in listings they do not.
 * Listings give ETags without quotes, headers with them; quoted is what conditions take.
 *
 * @param sizeBytes of the whole blob, where the answer is about a part
 * @throws UNAVAILABLE for an answer without an ETag, which is not the service's
 */
export function toBlobProperties(
  ref: BlobRef,
  answer: BlobAnswer,
  sizeBytes = answer.contentLength ?? 0,
): BlobProperties {
  const { etag } = answer;
  if (etag === undefined)
    throw new AppError('UNAVAILABLE', 'Blob storage answered without an ETag.', { ...ref });
  return {
    ref: { container: ref.container, name: ref.name },
    etag: etag.startsWith('"') ? etag : `"${etag}"`,
    sizeBytes,
    contentType: answer.contentType ?? 'application/octet-stream',
    metadata: Object.fromEntries(
      Object.entries(answer.metadata ?? {})
        .map(([name, value]) => [name.toLowerCase(), value] as const)
        .filter(([name]) => name !== writeMarkerName),
    ),
    lastModified: new Date(answer.lastModified ?? 0).getTime(),
  };
}
