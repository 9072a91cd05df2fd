import { writeMarkerName } from '../storage/blob-rules.ts';
import type { BlobProperties, BlobRef } from '../storage/blobs.ts';

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
 */
export function toBlobProperties(ref: BlobRef, answer: BlobAnswer): BlobProperties {
  const etag = answer.etag ?? '';
  return {
    ref: { container: ref.container, name: ref.name },
    etag: etag.startsWith('"') ? etag : `"${etag}"`,
    sizeBytes: answer.contentLength ?? 0,
    contentType: answer.contentType ?? 'application/octet-stream',
    metadata: Object.fromEntries(
      Object.entries(answer.metadata ?? {})
        .map(([name, value]) => [name.toLowerCase(), value] as const)
        .filter(([name]) => name !== writeMarkerName),
    ),
    lastModified: new Date(answer.lastModified ?? 0).getTime(),
  };
}
