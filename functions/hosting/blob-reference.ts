import { createRequire } from 'node:module';
import type * as extensionsBase from '@azure/functions-extensions-base';
import { z } from 'zod';
import { AppError } from '../../shared/core/errors.ts';
import { validate } from '../../shared/core/validate.ts';
import type { BlobRef } from '../../shared/platform/storage/blobs.ts';

/** Loaded as `@azure/functions` loads it: an import would create a second copy with its own resolver. */
const { ResourceFactoryResolver } = createRequire(import.meta.url)(
  '@azure/functions-extensions-base',
) as typeof extensionsBase;

const contentSchema = z.object({ ContainerName: z.string(), BlobName: z.string() });

/**
 * Makes blob triggers with `sdkBinding: true` receive a reference ("deferred binding") instead of all bytes, so that the
 * app streams the blob.
 */
export function receiveBlobReferences(): void {
  const resolver = ResourceFactoryResolver.getInstance();
  if (resolver.hasResourceFactory('AzureStorageBlobs')) return;
  resolver.registerResourceFactory('AzureStorageBlobs', (data): BlobRef => {
    const content = Array.isArray(data) ? undefined : data.content;
    if (!content) throw new AppError('INVALID_ARGUMENT', 'The blob trigger has no reference.');
    const parsed: unknown = JSON.parse(Buffer.from(content).toString('utf8'));
    const { ContainerName, BlobName } = validate(contentSchema, parsed, 'blob reference');
    return { container: ContainerName, name: BlobName };
  });
}
