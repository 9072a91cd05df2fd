import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultAzureCredential } from '@azure/identity';
import { createCosmosDocuments } from '../../shared/adapters/azure/cosmos-documents.ts';
import type { MetadataStore } from '../../shared/platform/storage/documents.ts';
import { openCosmosFixture, openSqliteFixture } from '../support/documents/stores.ts';
import type { DocumentsFixture } from './documents/fixture.ts';
import { describeDocumentsContract } from './documents.contract.ts';

describeDocumentsContract({ name: 'SQLite', open: () => openSqliteFixture() });

for (const physicalPartitions of [1, 3])
  describeDocumentsContract({
    name: `Cosmos DB adapter, test server with ${physicalPartitions} physical partition(s)`,
    skipTimeToLive: 'the test server knows no time to live; the wire test sees what is sent',
    skipCodePoints: 'the test server compares UTF-16 units, as JavaScript does',
    open: () => openCosmosFixture({ physicalPartitions }),
  });

const {
  COSMOS_ENDPOINT,
  COSMOS_KEY,
  COSMOS_DATABASE = 'slipway',
  COSMOS_CONTAINER = 'slipway-contract',
} = process.env;

describeDocumentsContract({
  name: 'Cosmos DB account or emulator',
  ...(COSMOS_ENDPOINT === undefined ? { skip: 'COSMOS_ENDPOINT is not set' } : {}),
  open: () => openAccount(COSMOS_ENDPOINT!),
});

/** The database and container must exist: see docs/testing-against-azure.md. */
async function openAccount(endpoint: string): Promise<DocumentsFixture> {
  const open = () =>
    createCosmosDocuments({
      endpoint,
      database: COSMOS_DATABASE,
      credential: COSMOS_KEY === undefined ? new DefaultAzureCredential() : { key: COSMOS_KEY },
      discoverEndpoints: COSMOS_KEY === undefined,
    });
  const opened: MetadataStore[] = [];
  const reopen = async () => {
    const store = open();
    opened.push(store);
    return store;
  };
  return {
    store: await reopen(),
    container: COSMOS_CONTAINER,
    reopen,
    // The service counts in whole seconds.
    passTime: (ms) => sleep(ms + 1_500),
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
}
