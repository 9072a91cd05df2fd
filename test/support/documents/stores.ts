import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createCosmosDocuments } from '../../../shared/adapters/azure/cosmos-documents.ts';
import type { Clock } from '../../../shared/core/clock.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import type { SqliteDocumentsOptions } from '../../../shared/adapters/embedded/sqlite-documents.ts';
import { openSqliteDocuments } from '../../../shared/adapters/embedded/sqlite-documents.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type { DocumentsFixture } from '../../contract/documents/fixture.ts';
import type { CosmosServer } from '../cosmos/server.ts';
import { startCosmosServer } from '../cosmos/server.ts';

export interface SqliteFixture extends DocumentsFixture {
  readonly file: string;
}

/** An SQLite store in its own directory, with a clock that only the test moves. */
export async function openSqliteFixture(
  options: Partial<SqliteDocumentsOptions> = {},
): Promise<SqliteFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-documents-'));
  const file = join(directory, 'made', 'on', 'demand', 'metadata.db');
  let now = Date.now();
  const clock: Clock = { ...systemClock, now: () => now };
  const opened: MetadataStore[] = [];
  const open = () => {
    const store = openSqliteDocuments({ clock, ids: systemIds }, { file, ...options });
    opened.push(store);
    return store;
  };
  return {
    file,
    container: 'contract',
    store: open(),
    reopen: async () => open(),
    passTime: async (ms) => {
      now += ms;
    },
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await rm(directory, { recursive: true });
    },
  };
}

/** The same, closed when the test ends. */
export async function openSqliteForTest(options?: Partial<SqliteDocumentsOptions>): Promise<SqliteFixture> {
  const fixture = await openSqliteFixture(options);
  onTestFinished(() => fixture.dispose());
  return fixture;
}

export interface CosmosFixture extends DocumentsFixture {
  readonly server: CosmosServer;
}

/** The Cosmos adapter on a server in this process. */
export async function openCosmosFixture(
  options: {
    readonly physicalPartitions?: number;
    readonly throttledRetries?: number;
    readonly timeoutMs?: number;
  } = {},
): Promise<CosmosFixture> {
  const server = await startCosmosServer(options);
  const container = 'contract';
  await server.createContainer(container);
  const opened: MetadataStore[] = [];
  const open = () => {
    const { endpoint, database, key } = server;
    const credential = { key };
    const store = createCosmosDocuments({
      endpoint,
      database,
      credential,
      discoverEndpoints: false,
      ...options,
    });
    opened.push(store);
    return store;
  };
  return {
    server,
    container,
    store: open(),
    reopen: async () => open(),
    passTime: () => Promise.reject(new Error('the server knows no time')),
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await server.close();
    },
  };
}
