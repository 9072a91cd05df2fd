import { AppError } from '../../../core/errors.ts';
import { writeMarkerName } from '../../../platform/storage/blob-rules.ts';
import type { BlobProperties, BlobRef } from '../../../platform/storage/blobs.ts';

/** The members that the SDK's answers about a blob share. */
export interface BlobAnswer {
  readonly etag?: string | undefined;
  readonly contentLength?: number | undefined;
  readonly contentType?: string | undefined;
  readonly lastModified?: Date | string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Normalizes an answer. Lower-cases metadata names, because HTTP headers may lose their case. Quotes ETags, because
 * listings omit the quotes that conditions require.
 *
 * @param sizeBytes the size of the whole blob, when the answer is about a range
 * @throws UNAVAILABLE for an answer without an ETag, which a proxy must have sent
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
