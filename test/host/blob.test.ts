import { BlobServiceClient } from '@azure/storage-blob';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { moveBlobPort } from '../support/azurite/azurite.ts';
import { startFixtureHost, type FixtureHost } from '../support/host/fixture-host.ts';
import { createQueueClient } from '../support/host/storage-queue.ts';
import { until } from '../support/until.ts';

let host: FixtureHost;
let storage: BlobServiceClient;
beforeAll(async () => {
  host = await startFixtureHost();
  storage = BlobServiceClient.fromConnectionString(host.connectionString);
  for (const name of ['watched', 'deferred', 'poisoned', 'slow', 'inbox'])
    await storage.getContainerClient(name).create();
});
afterAll(() => host.stop());

const put = async (container: string, name: string, text: string): Promise<void> => {
  const blob = storage.getContainerClient(container).getBlockBlobClient(name);
  await blob.upload(text, Buffer.byteLength(text), { metadata: { origin: 'test' } });
};
let markers = 0;
/** Waits until two scans have listed the whole container: each finds a marker that was uploaded last. */
const settle = async (): Promise<void> => {
  for (let scan = 0; scan < 2; scan++) {
    const text = `marker ${(markers += 1)}`;
    await put('watched', `~/${markers}.csv`, text);
    await expect.poll(() => host.recorded('blob').some((blob) => blob['text'] === text)).toBe(true);
  }
};
/** The processed blobs, without the markers. */
const seenBlobs = () =>
  host.recorded('blob').flatMap(({ text }) => (String(text).startsWith('marker') ? [] : [text]));

describe('trap 15: receipts', () => {
  test('a blob is processed once, again after an overwrite, but not after a restart', async () => {
    await put('watched', 'flights/january.csv', 'one');
    await host.waitFor('blob', 1);
    await settle();
    expect(seenBlobs()).toEqual(['one']);

    await put('watched', 'flights/january.csv', 'two');
    await expect.poll(() => seenBlobs().length).toBe(2);
    host = await host.restart();
    await settle();
    expect(seenBlobs()).toEqual(['one', 'two']);
  });

  test('blobs dropped while the host was down are processed at the start', async () => {
    const restarting = host.restart();
    await put('watched', 'flights/february.csv', 'three');
    host = await restarting;
    await expect.poll(() => seenBlobs().at(-1)).toBe('three');
  });

  test('names outside the pattern are ignored', async () => {
    const seen = seenBlobs();
    await put('watched', 'flights/readme.txt', 'no');
    await put('watched', 'top.csv', 'no');
    await settle();
    expect(seenBlobs()).toEqual(seen);
  });

  test('each name has its own receipt across the pages of a scan, whatever its sort order', async () => {
    const names = ['é', 'z', '😀', '\uffee', 'Z', ' a'].map((name) => `odd/${name}.csv`);
    const seen = seenBlobs().length;
    for (const name of names) await put('watched', name, 'odd');
    await expect.poll(() => seenBlobs().length).toBe(seen + names.length);
    await settle();
    expect(seenBlobs()).toHaveLength(seen + names.length);
  });
});

test('trap 16: five attempts, then one message in the poison queue', async () => {
  await put('poisoned', 'bad.bin', 'x');
  const attempts = (name: string) => host.recorded('poisoned').filter(({ blob }) => blob === name).length;
  await host.waitFor('poisoned', 5);
  const queue = createQueueClient(host.connectionString);
  const messages = await until(async () => {
    const received = await queue.receive('webjobs-blobtrigger-poison').catch(() => []);
    return received.length > 0 && received;
  });
  // Each attempt of another blob is a scan that ignores the first one.
  await put('poisoned', 'worse.bin', 'x');
  await expect.poll(() => attempts('worse.bin')).toBe(5);
  expect(attempts('bad.bin')).toBe(5);
  const properties = await storage.getContainerClient('poisoned').getBlobClient('bad.bin').getProperties();
  expect(messages.map((text) => JSON.parse(text) as unknown)).toEqual([
    {
      Type: 'BlobTrigger',
      FunctionId: 'Host.Functions.poisoned',
      BlobType: 'BlockBlob',
      ContainerName: 'poisoned',
      BlobName: 'bad.bin',
      ETag: properties.etag,
    },
  ]);

  await put('poisoned', 'bad.bin', 'a new version has five attempts of its own');
  await expect.poll(() => attempts('bad.bin')).toBe(10);
});

test('trap 17: a deferred trigger gets the reference and no bytes', async () => {
  await put('deferred', 'big/file.bin', 'never downloaded');
  const [seen] = await host.waitFor('deferred', 1);
  expect(seen).toMatchObject({
    reference: {
      version: '1.0',
      source: 'AzureStorageBlobs',
      contentType: 'application/json',
      content: { Connection: 'AzureWebJobsStorage', ContainerName: 'deferred', BlobName: 'big/file.bin' },
    },
    metadata: { blobTrigger: 'deferred/big/file.bin', name: 'big/file.bin', metadata: { origin: 'test' } },
  });
});

test('one call writes a blob, a storage queue message and a Service Bus message', async () => {
  await put('inbox', 'note.txt', 'hello');
  await expect
    .poll(async () =>
      storage
        .getContainerClient('out')
        .getBlobClient('note.json')
        .exists()
        .catch(() => false),
    )
    .toBe(true);
  const written = await storage.getContainerClient('out').getBlobClient('note.json').downloadToBuffer();
  expect(JSON.parse(written.toString())).toEqual({ text: 'hello' });
  const queue = createQueueClient(host.connectionString);
  await expect.poll(() => queue.receive('out-queue').catch(() => [])).toEqual(['hello queue']);
  expect(await host.waitFor('out-reader', 1)).toMatchObject([{ message: { copied: 'note' } }]);
});

test('an outage of storage is logged once and affects nothing else', async () => {
  let attempts = 0;
  const closing = createServer((socket) => {
    attempts += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(closing, 'listening');
  onTestFinished(() => void closing.close());
  const dead = moveBlobPort(host.connectionString, (closing.address() as AddressInfo).port);
  host = await host.restart({ settings: { ...host.folder.settings, AzureWebJobsStorage: dead } });
  const complaints = (): number =>
    host.logged.filter(({ message }) => message.includes('is not available')).length;
  const containers = new Set(['watched', 'deferred', 'poisoned', 'slow', 'inbox']);
  await expect.poll(complaints).toBe(containers.size);
  // Many more scans, each of at most two attempts.
  const more = attempts + 20 * containers.size;
  await expect.poll(() => attempts).toBeGreaterThan(more);
  expect(complaints()).toBe(containers.size);
  expect((await fetch(`${host.url}/echo`)).status).toBe(200);

  await put('deferred', 'meanwhile.bin', 'x');
  const seen = host.recorded('deferred').length;
  host = await host.restart({
    settings: { ...host.folder.settings, AzureWebJobsStorage: host.connectionString },
  });
  expect((await host.waitFor('deferred', seen + 1)).at(-1)).toMatchObject({
    metadata: { name: 'meanwhile.bin' },
  });
});
