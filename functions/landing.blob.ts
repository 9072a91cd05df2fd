import { app as functionsApp } from '@azure/functions';
import { blobContainers } from '../shared/core/names/resources.ts';
import type { BlobRef } from '../shared/platform/storage/blobs.ts';
import { receiveBlobReferences } from './hosting/blob-reference.ts';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

receiveBlobReferences();

/** A file dropped into the landing container, found by polling: the local path, and the fallback in Azure. */
functionsApp.storageBlob('landingBlob', {
  path: `${blobContainers.landing}/{name}`,
  connection: 'AzureWebJobsStorage',
  sdkBinding: true,
  handler: async (ref, context) => {
    await app.datasets.landing.onLanding(ref as BlobRef, toLogger(context));
  },
});
