import type { BlobConfig, Config, MetadataConfig, QueueConfig } from './core/config.ts';
import { systemClock } from './core/clock.ts';
import { systemIds } from './core/ids.ts';
import { consoleLogger } from './core/logger.ts';
import { queues, subscriptions, topics } from './core/names/resources.ts';
import type { Platform } from './platform/platform.ts';
import type { BlobStore } from './platform/storage/blobs.ts';
import type { MetadataStore } from './platform/storage/documents.ts';
import type { MessageQueue } from './platform/storage/queue.ts';

/**
 * Chooses the adapters. Loads only the configured ones, because loading an SDK takes up to 0.4 s of every start.
 */
export async function connect(config: Config): Promise<Platform> {
  const [metadata, blobs, queue] = await Promise.all([
    connectMetadata(config.metadata),
    connectBlobs(config.blobs),
    connectQueue(config.queue),
  ]);
  return { ...system, logger: consoleLogger, metadata, blobs, queue };
}

const system = { clock: systemClock, ids: systemIds };

async function connectMetadata(config: MetadataConfig): Promise<MetadataStore> {
  switch (config.kind) {
    case 'sqlite': {
      const { openSqliteDocuments } = await import('./adapters/embedded/sqlite-documents.ts');
      return openSqliteDocuments({ ...system }, { file: config.file });
    }
    case 'cosmos': {
      const { createCosmosDocuments } = await import('./adapters/azure/cosmos-documents.ts');
      return createCosmosDocuments({ ...config, credential: await getCredential() });
    }
  }
}

async function connectBlobs(config: BlobConfig): Promise<BlobStore> {
  const { createBlobStore } = await import('./adapters/azure/blob-store.ts');
  return config.kind === 'identity'
    ? createBlobStore(system, { serviceUri: config.serviceUri, credential: await getCredential() })
    : createBlobStore(system, { connectionString: config.connectionString });
}

async function connectQueue(config: QueueConfig): Promise<MessageQueue> {
  switch (config.kind) {
    case 'sqlite': {
      const { openSqliteQueue } = await import('./adapters/embedded/sqlite-queue.ts');
      return openSqliteQueue(system, { file: config.file, topology });
    }
    case 'serviceBus': {
      const { createServiceBusQueue } = await import('./adapters/azure/service-bus-queue.ts');
      const connection = { ...config, credential: await getCredential() };
      return createServiceBusQueue(system, { connection, probe: { queue: queues.landing } });
    }
  }
}

async function getCredential() {
  const { createCredential } = await import('./adapters/azure/credential.ts');
  return createCredential();
}

/** The entities of the embedded queue; those of Service Bus are declared in Bicep. */
const topology = {
  queues: Object.values(queues),
  topics: { [topics.events]: Object.values(subscriptions).map((subscription) => subscription.name) },
};
