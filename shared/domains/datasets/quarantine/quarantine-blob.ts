import { sha256 } from '../../../core/ids.ts';
import { blobContainers } from '../../../core/names.ts';
import type { BlobRef } from '../../../platform/storage/blobs.ts';
import type { Source } from '../entities.ts';

/** The service's own limit. */
const maxBlobNameLength = 1024;

/** One report a content. A file may well be refused for a name that no blob of ours could have. */
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
