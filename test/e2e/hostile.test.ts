import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { sha256, systemIds } from '../../shared/core/ids.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { queues } from '../../shared/core/names/resources.ts';
import { startPlatform, writeFlights } from '../support/host/platform.ts';
import { createFolder } from '../support/stores.ts';

interface Version {
  readonly version: number;
  readonly sha256: string;
  readonly lineage: { readonly sourceSha256: string };
}

const waiting = { interval: 200 };

test('survives many files at once, a file that keeps changing, and invalid names and messages', async () => {
  const folder = createFolder();
  const dataDir = join(folder, 'data');
  const platform = await startPlatform({ dataDir });
  const contents: Buffer[] = [];
  for (let seed = 0; seed < 30; seed += 1) {
    const file = join(folder, 'flights.parquet');
    await writeFlights(file, { rows: 200, seed });
    contents.push(readFileSync(file));
  }
  const landing = BlobServiceClient.fromConnectionString(platform.blobConnectionString).getContainerClient(
    'landing',
  );
  const drop = (name: string, content: Buffer) => landing.getBlockBlobClient(name).uploadData(content);
  const list = async <T>(path: string) =>
    (await platform.call<{ items: readonly T[] }>('GET', `${path}?limit=1000`)).items;
  const versionsOf = (dataset: string) => list<Version>(`api/v1/datasets/${dataset}/versions`);

  await Promise.all(contents.map((content, i) => drop(`many/${i}.parquet`, content)));
  for (const content of contents.slice(0, 12)) await drop('again/same.parquet', content);
  const names = [`odd/${'l'.repeat(1020)}`, 'odd/a\nb', `odd/q'u"o`, 'odd/🚢', 'odd/a%2Fb', 'no-dataset'];
  for (const name of names) await drop(name, Buffer.from('no table'));

  await expect.poll(async () => (await versionsOf('many')).length, waiting).toBe(contents.length);
  const many = await versionsOf('many');
  expect(many.map(({ version }) => version)).toEqual(contents.map((_, i) => contents.length - 1 - i));
  expect(new Set(many.map((version) => version.sha256)).size).toBe(contents.length);

  const newest = sha256(contents[11] ?? '');
  await expect.poll(async () => (await versionsOf('again'))[0]?.lineage.sourceSha256, waiting).toBe(newest);
  const again = await versionsOf('again');
  expect(new Set(again.map((version) => version.sha256)).size).toBe(again.length);

  await expect
    .poll(async () => (await list('api/v1/datasets/odd/rejections')).length, waiting)
    .toBe(names.length - 1);
  expect(await list('api/v1/datasets/_unnamed/rejections')).toHaveLength(1);
  const ended = new Set(['succeeded', 'failed', 'superseded']);
  const statuses = async () =>
    new Set((await list<{ status: string }>('api/v1/runs')).map(({ status }) => status));
  await expect.poll(async () => [...(await statuses()).difference(ended)], waiting).toEqual([]);

  await using queue = openQueue(join(dataDir, 'host.db'));
  await queue.send('landing', [{ id: 'nonsense', body: { subject: 7 } }]);
  await queue.send('events', [{ id: 'nonsense', body: 'a text' }]);
  const refused = await queue.receiveRefused(2);
  expect(refused).toMatchObject([{ code: 'INVALID_ARGUMENT' }, { code: 'INVALID_ARGUMENT' }]);
});

/** The embedded queue, opened beside the platform as by an operator's tool. */
function openQueue(file: string) {
  const topology = { queues: Object.values(queues), topics: {} };
  const queue = openSqliteQueue({ clock: systemClock, ids: systemIds }, { file, topology });
  return {
    send: queue.send.bind(queue),
    receiveRefused: async (count: number) => {
      const bodies: unknown[] = [];
      while (bodies.length < count) {
        const messages = await queue.receive({ queue: queues.refused }, { maxMessages: 10, waitMs: 1_000 });
        bodies.push(...messages.map((message) => message.body));
      }
      return bodies;
    },
    [Symbol.asyncDispose]: () => queue.close(),
  };
}
