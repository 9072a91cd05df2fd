import { BlobServiceClient } from '@azure/storage-blob';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFixtureHost, type FixtureHost } from '../support/host/fixture-host.ts';
import { createQueueClient } from '../support/host/storage-queue.ts';

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
/** Long enough for several polls. */
const settle = (): Promise<void> => sleep(400);

describe('trap 15: receipts', () => {
  test('a blob is seen once, an overwrite again, and a restart is silent', async () => {
    await put('watched', 'flights/january.csv', 'one');
    await host.waitFor('blob', 1);
    await settle();
    expect(host.recorded('blob')).toHaveLength(1);

    await put('watched', 'flights/january.csv', 'two');
    await host.waitFor('blob', 2);
    host = await host.restart();
    await settle();
    expect(host.recorded('blob').map(({ text }) => text)).toEqual(['one', 'two']);
  });

  test('what was dropped while the host was down is seen at the start', async () => {
    const seen = host.recorded('blob').length;
    const restarting = host.restart();
    await put('watched', 'flights/february.csv', 'three');
    host = await restarting;
    expect((await host.waitFor('blob', seen + 1)).at(-1)).toMatchObject({ text: 'three' });
  });

  test('names outside the pattern are passed over', async () => {
    const seen = host.recorded('blob').length;
    await put('watched', 'flights/readme.txt', 'no');
    await put('watched', 'top.csv', 'no');
    await settle();
    expect(host.recorded('blob')).toHaveLength(seen);
  });

  test('names that sort unlike one another are told apart over pages of a scan', async () => {
    const names = ['é', 'z', '😀', '\uffee', 'Z', ' a'].map((name) => `odd/${name}.csv`);
    const seen = host.recorded('blob').length;
    for (const name of names) await put('watched', name, 'odd');
    await host.waitFor('blob', seen + names.length);
    await settle();
    expect(host.recorded('blob')).toHaveLength(seen + names.length);
  });
});

test('trap 16: five attempts, then one message in the poison queue', async () => {
  await put('poisoned', 'bad.bin', 'x');
  await host.waitFor('poisoned', 5);
  const queue = createQueueClient(host.connectionString);
  const deadline = Date.now() + 10_000;
  let messages: readonly string[] = [];
  while (messages.length === 0 && Date.now() < deadline) {
    messages = await queue.receive('webjobs-blobtrigger-poison').catch(() => []);
    await sleep(50);
  }
  await settle();
  expect(host.recorded('poisoned')).toHaveLength(5);
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
  await host.waitFor('poisoned', 10);
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
  const dead = host.connectionString.replace(/(BlobEndpoint=http:\/\/127\.0\.0\.1):\d+/, '$1:9');
  host = await host.restart({ settings: { ...host.folder.settings, AzureWebJobsStorage: dead } });
  const complaints = (): number =>
    host.logged.filter(({ message }) => message.includes('cannot be reached')).length;
  const containers = new Set(['watched', 'deferred', 'poisoned', 'slow', 'inbox']);
  await expect.poll(complaints).toBe(containers.size);
  await settle();
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
