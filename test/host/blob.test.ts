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
/** Until two scans have met everything in the container: each sees a marker that was put after all of it. */
const settle = async (): Promise<void> => {
  for (let scan = 0; scan < 2; scan++) {
    const text = `marker ${(markers += 1)}`;
    await put('watched', `~/${markers}.csv`, text);
    await expect.poll(() => host.recorded('blob').some((blob) => blob['text'] === text)).toBe(true);
  }
};
/** What was handled, without the markers. */
const seenBlobs = () =>
  host.recorded('blob').flatMap(({ text }) => (String(text).startsWith('marker') ? [] : [text]));

describe('trap 15: receipts', () => {
  test('a blob is seen once, an overwrite again, and a restart is silent', async () => {
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

  test('what was dropped while the host was down is seen at the start', async () => {
    const restarting = host.restart();
    await put('watched', 'flights/february.csv', 'three');
    host = await restarting;
    await expect.poll(() => seenBlobs().at(-1)).toBe('three');
  });

  test('names outside the pattern are passed over', async () => {
    const seen = seenBlobs();
    await put('watched', 'flights/readme.txt', 'no');
    await put('watched', 'top.csv', 'no');
    await settle();
    expect(seenBlobs()).toEqual(seen);
  });

  test('names that sort unlike one another are told apart over pages of a scan', async () => {
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
  // Another blob's attempts are as many scans that pass the first one over.
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

test('outputs: a blob, a storage queue message and a Service Bus message follow from one call', async () => {
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

test('storage that is out of reach is said once, and harms nothing else', async () => {
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
