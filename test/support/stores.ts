import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createCosmosDocuments } from '../../shared/adapters/azure/cosmos-documents.ts';
import { type Clock, systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteDocuments } from '../../shared/adapters/embedded/sqlite-documents.ts';
import { metadataContainers } from '../../shared/core/names/resources.ts';
import type { MetadataStore } from '../../shared/platform/storage/documents.ts';
import { startCosmosServer } from './cosmos/server.ts';

/** A folder for one test, removed at its end. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An SQLite metadata store for one test. */
export function createDocuments(): MetadataStore {
  const file = join(createFolder(), 'metadata.db');
  const store = openSqliteDocuments({ clock: systemClock, ids: systemIds }, { file });
  onTestFinished(() => store.close());
  return store;
}

/** The metadata stores of the domains, embedded and in Azure. Each `open` creates an empty one for the test. */
export const metadataStores: readonly {
  readonly name: string;
  readonly open: () => Promise<MetadataStore>;
}[] = [
  { name: 'SQLite', open: async () => createDocuments() },
  { name: 'Cosmos DB', open: openCosmosDocuments },
];

async function openCosmosDocuments(): Promise<MetadataStore> {
  const server = await startCosmosServer({ physicalPartitions: 2 });
  for (const container of Object.values(metadataContainers)) await server.createContainer(container);
  const { endpoint, database, key } = server;
  const store = createCosmosDocuments({ endpoint, database, credential: { key }, discoverEndpoints: false });
  onTestFinished(async () => {
    await store.close();
    await server.close();
  });
  return store;
}

export const system = { clock: systemClock, ids: systemIds };

/** Never returns a millisecond twice, so that consecutive writes have an order. */
export function createTickingClock(): Clock {
  let last = 0;
  const now = () => (last = Math.max(last + 1, systemClock.now()));
  return { ...systemClock, now };
}
