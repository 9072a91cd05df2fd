import { onTestFinished } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import type { Platform } from '../../../shared/platform/platform.ts';
import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';
import { createCosmosDocuments } from '../../../shared/adapters/azure/cosmos-documents.ts';
import { createServiceBusQueue } from '../../../shared/adapters/azure/service-bus-queue.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import {
  blobContainers,
  metadataContainers,
  queues,
  subscriptions,
  topics,
} from '../../../shared/core/names/resources.ts';
import { hangGuardMs } from '../hang-guard.ts';
import { SkippingClock } from '../skipping-clock.ts';
import { AmqpBroker } from '../amqp-broker/broker.ts';
import { startTestAzurite } from './azurite.ts';
import { startCosmosServer } from '../cosmos/server.ts';

/**
 * Empty local versions of the resources that Bicep declares in Azure: a Cosmos DB server in this process, a Service Bus
 * broker on the loopback interface, and Azurite. They are removed when the test ends.
 */
export async function startAzureStores() {
  const clock = new SkippingClock();
  const cosmos = await startCosmosServer({ physicalPartitions: 2 });
  onTestFinished(() => cosmos.close());
  for (const container of Object.values(metadataContainers)) await cosmos.createContainer(container);

  const broker = new AmqpBroker(
    {
      queues: Object.values(queues),
      topics: { [topics.events]: Object.values(subscriptions).map(({ name }) => name) },
    },
    { lockDurationMs: 2 * hangGuardMs, maxDeliveryCount: 4 },
    clock,
  );
  await broker.start();
  onTestFinished(() => broker.dispose());

  const azurite = await startTestAzurite();
  onTestFinished(() => azurite.stop());
  const { connectionString } = azurite;
  await createBlobStore({ clock: systemClock, ids: systemIds }, { connectionString }).ensureContainers(
    Object.values(blobContainers),
  );

  /** Clients of these stores, as of another instance of the app. */
  const connect = (): Platform => {
    const metadata = createCosmosDocuments({
      endpoint: cosmos.endpoint,
      database: cosmos.database,
      credential: { key: cosmos.key },
      discoverEndpoints: false,
    });
    const queue = createServiceBusQueue(
      { clock },
      {
        connection: {
          connectionString: `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=root;SharedAccessKey=key;UseDevelopmentEmulator=true`,
        },
        probe: { queue: queues.landing },
        operationTimeoutMs: hangGuardMs,
      },
    );
    onTestFinished(async () => void (await Promise.all([metadata.close(), queue.close()])));
    return {
      clock,
      ids: systemIds,
      logger: silentLogger,
      metadata,
      queue,
      blobs: createBlobStore({ clock: systemClock, ids: systemIds }, { connectionString }),
    };
  };
  return { clock, cosmos, broker, connect };
}
