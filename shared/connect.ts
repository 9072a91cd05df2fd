import type { BlobConfig, Config, MetadataConfig, QueueConfig } from './core/config.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { systemIds } from './core/ids.ts';
import { consoleLogger } from './core/logger.ts';
import { queues, subscriptions, topics } from './core/names.ts';
import type { Platform } from './platform/platform.ts';
import type { BlobStore } from './platform/storage/blobs.ts';
import type { MetadataStore } from './platform/storage/documents.ts';
import type { MessageQueue } from './platform/storage/queue.ts';

/**
 * Chooses the adapters: a new one is a file and a case here. Each is loaded only when it is configured, because
 * an SDK that nobody uses still costs up to 0.4 s of every start.
 */
export async function connect(config: Config): Promise<Platform> {
  const clock = systemClock;
  const [metadata, blobs, queue] = await Promise.all([
    connectMetadata(config.metadata, clock),
    connectBlobs(config.blobs),
    connectQueue(config.queue, clock),
  ]);
  return { clock, ids: systemIds, logger: consoleLogger, metadata, blobs, queue };
}

async function connectMetadata(config: MetadataConfig, clock: Clock): Promise<MetadataStore> {
  switch (config.kind) {
    case 'sqlite': {
      const { openSqliteDocuments } = await import('./adapters/embedded/sqlite-documents.ts');
      return openSqliteDocuments({ file: config.file, clock, ids: systemIds });
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
    ? createBlobStore({ serviceUri: config.serviceUri, credential: await getCredential() })
    : createBlobStore({ connectionString: config.connectionString });
}

async function connectQueue(config: QueueConfig, clock: Clock): Promise<MessageQueue> {
  switch (config.kind) {
    case 'sqlite': {
      const { openSqliteQueue } = await import('./adapters/embedded/sqlite-queue.ts');
      return openSqliteQueue({ file: config.file, clock, ids: systemIds, topology });
    }
    case 'serviceBus': {
      const { createServiceBusQueue } = await import('./adapters/azure/service-bus-queue.ts');
      const connection = { ...config, credential: await getCredential() };
      return createServiceBusQueue({ connection, clock, probe: { queue: queues.landing } });
    }
  }
}

async function getCredential() {
  const { createCredential } = await import('./adapters/azure/credential.ts');
  return createCredential();
}

/** The embedded queue's entities; Service Bus has its own from Bicep. */
const topology = {
  queues: Object.values(queues),
  topics: { [topics.events]: Object.values(subscriptions).map((subscription) => subscription.name) },
};
