import { randomBytes } from 'node:crypto';

import { DefaultAzureCredential } from '@azure/identity';

import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { startTestAzurite } from '../support/azurite/azurite.ts';
import { describeBlobContract } from './blobs.contract.ts';

const tuning = { blockSizeBytes: 64 * 1024, retryDelayMs: 50 };
const serviceUri = process.env['AZURE_STORAGE_BLOB_ENDPOINT'];

describeBlobContract({
  name: 'Azurite',
  async open() {
    const azurite = await startTestAzurite();
    const store = createBlobStore(
      { clock: systemClock, ids: systemIds },
      { connectionString: azurite.connectionString, ...tuning },
    );
    await store.ensureContainers(['contract']);
    return { store, container: 'contract', dispose: () => azurite.stop() };
  },
});

describeBlobContract({
  name: 'a storage account',
  skipReason: serviceUri === undefined ? 'AZURE_STORAGE_BLOB_ENDPOINT is not set' : undefined,
  async open() {
    const credential = new DefaultAzureCredential();
    const store = createBlobStore(
      { clock: systemClock, ids: systemIds },
      { serviceUri: serviceUri ?? '', credential, ...tuning },
    );
    const container = `slipway-contract-${randomBytes(6).toString('hex')}`;
    await store.ensureContainers([container]);
    return {
      store,
      container,
      async dispose() {
        const { BlobServiceClient } = await import('@azure/storage-blob');
        await new BlobServiceClient(serviceUri ?? '', credential).deleteContainer(container);
      },
    };
  },
});
