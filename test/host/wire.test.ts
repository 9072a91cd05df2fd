import { BlobServiceClient } from '@azure/storage-blob';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, test } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { fixtureAppDir, startFixtureHost, type FixtureHost } from '../support/host/fixture-host.ts';
import { tapWire, type WireTap } from '../support/host/wire-golden.ts';

/**
 * Trap 22: the wire formats as golden files, each with the sources that it was derived from (the streamed request is
 * in `streaming.test.ts`). Regenerate with `npm run golden:update`.
 */
let host: FixtureHost;
let wire: WireTap;

beforeAll(async () => {
  host = await startFixtureHost({ extraSettings: { FIXTURE_SCHEDULE: '0 0 0 1 1 *' } });
  wire = await tapWire(fixtureAppDir);
});
afterAll(() => host.stop());

test('trap 22: http', async () => {
  await fetch(`${host.url}/echo?a=1&a=2&empty=`, {
    method: 'POST',
    body: '{"n":1}',
    headers: { 'content-type': 'application/json', 'x-probe': 'p', 'user-agent': 'test' },
  });
  await wire.expectGolden('http', 'echo', host.url);
});

test('trap 22: blob, whole and deferred', async () => {
  const storage = BlobServiceClient.fromConnectionString(host.connectionString);
  for (const [container, name] of [
    ['watched', 'flights/january.csv'],
    ['deferred', 'big.bin'],
  ] as const) {
    const client = storage.getContainerClient(container);
    await client.createIfNotExists();
    await client.getBlockBlobClient(name).upload('a,b\n', 4, {
      metadata: { origin: 'test' },
      blobHTTPHeaders: { blobContentType: 'text/csv' },
    });
  }
  await wire.expectGolden('blob', 'blob', host.url);
  await wire.expectGolden('blob-deferred', 'deferred', host.url);
});

test('trap 22: Service Bus, one and many', async () => {
  const queue = openSqliteQueue(
    { clock: systemClock, ids: systemIds },
    { file: join(host.folder.dataDir, 'host.db') },
  );
  const message = { subject: 's', correlationId: 'c', properties: { text: 't', flag: true, size: 1.5 } };
  await queue.send('single', [{ id: 'one', body: { n: 1 }, ...message }]);
  await queue.send('events', [
    { id: 'one', body: 'text', ...message },
    { id: 'two', body: [1, null] },
  ]);
  await wire.expectGolden('service-bus', 'single', host.url);
  await wire.expectGolden('service-bus-batch', 'batch', host.url);
  await queue.close();
});

test('trap 22: activity', async () => {
  await fetch(`${host.url}/greet/ada`, { method: 'POST' });
  await wire.expectGolden('activity', 'shout', host.url);
});

test('trap 22: timer', async () => {
  // Past due at this start: its recorded last run was years ago.
  const db = new DatabaseSync(join(host.folder.dataDir, 'host.db'), { timeout: 5000 });
  const [last, next] = [Date.UTC(2020, 0, 1), Date.UTC(2021, 0, 1)];
  db.prepare('INSERT OR REPLACE INTO host_timers VALUES (?, ?, ?, ?)').run('hourly', last, next, last);
  db.close();
  host = await host.restart();
  await wire.expectGolden('timer', 'hourly', host.url);
});
