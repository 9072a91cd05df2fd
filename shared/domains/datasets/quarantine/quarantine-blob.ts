import { sha256 } from '../../../core/ids.ts';
import { blobContainers } from '../../../core/names/resources.ts';
import type { BlobRef } from '../../../platform/storage/blobs.ts';
import type { Source } from '../entities.ts';

/** The service's limit. */
const maxBlobNameLength = 1024;

/** The report on one content. The name of a rejected file may be one that no blob can have. */
export function quarantineBlob(dataset: string, source: Source, extension: string): BlobRef {
  const hash = sha256(`${source.name}\n${source.etag}`).slice(0, 16);
  const suffix = `.${hash}.${extension}`;
  const file = source.name
    .slice(source.name.indexOf('/') + 1)
    .replaceAll(/[\p{Cc}\ufffe\uffff\\]/gu, '_')
    .replaceAll(/\.+(?=\/)/g, '_')
    .slice(0, maxBlobNameLength - dataset.length - 1 - suffix.length)
    .toWellFormed();
  return { container: blobContainers.quarantine, name: `${dataset}/${file}${suffix}` };
}
