import { createRequire } from 'node:module';
import type * as extensionsBase from '@azure/functions-extensions-base';
import { z } from 'zod';
import { AppError } from '../../shared/core/errors.ts';
import { validate } from '../../shared/core/validate.ts';
import type { BlobRef } from '../../shared/platform/storage/blobs.ts';

/** As `@azure/functions` loads it: imported as an ES module it would be a second copy, with a resolver of its own. */
const { ResourceFactoryResolver } = createRequire(import.meta.url)(
  '@azure/functions-extensions-base',
) as typeof extensionsBase;

const contentSchema = z.object({ ContainerName: z.string(), BlobName: z.string() });

/**
 * Lets blob triggers registered with `sdkBinding: true` receive where the blob is instead of all its bytes: the
 * host then hands over a reference ("deferred binding"), and we stream the blob ourselves.
 */
export function receiveBlobReferences(): void {
  const resolver = ResourceFactoryResolver.getInstance();
  if (resolver.hasResourceFactory('AzureStorageBlobs')) return;
  resolver.registerResourceFactory('AzureStorageBlobs', (data): BlobRef => {
    const content = Array.isArray(data) ? undefined : data.content;
    if (!content) throw new AppError('INVALID_ARGUMENT', 'The blob trigger gave no reference.');
    const parsed: unknown = JSON.parse(Buffer.from(content).toString('utf8'));
    const { ContainerName, BlobName } = validate(contentSchema, parsed, 'blob reference');
    return { container: ContainerName, name: BlobName };
  });
}
