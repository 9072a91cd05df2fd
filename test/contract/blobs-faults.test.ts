import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { createBlobStore, type BlobStoreTuning } from '../../shared/adapters/azure/blob-store.ts';
import type { BlobRef, BlobStore } from '../../shared/platform/storage/blobs.ts';
import { isAppError, retryIntent } from '../../shared/core/errors.ts';
import { moveBlobPort, startTestAzurite, type TestAzurite } from '../support/azurite/azurite.ts';
import { collect } from '../support/blobs/bodies.ts';
import { startFlakyProxy, type FlakyProxy } from '../support/flaky-proxy.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { settle, useVirtualTimers } from '../support/virtual-timers.ts';

// Azurite over plain HTTP only: a TCP proxy cannot present the TLS name of a real account.
describe('blobs over a connection that fails', () => {
  let azurite: TestAzurite;
  let direct: BlobStore;
  let proxy: FlakyProxy;
  const tuning = { blockSizeBytes: 64 * 1024, retryDelayMs: 10, timeoutMs: patienceMs };
  const connectThrough = async (more: BlobStoreTuning = {}): Promise<BlobStore> => {
    proxy = await startFlakyProxy(azurite.port);
    const connectionString = moveBlobPort(azurite.connectionString, proxy.port);
    return createBlobStore({ clock: systemClock, ids: systemIds }, { connectionString, ...tuning, ...more });
  };
  let count = 0;
  const newRef = () => ({ container: 'faults', name: `blob-${(count += 1)}` });

  beforeAll(async () => {
    azurite = await startTestAzurite();
    direct = createBlobStore(
      { clock: systemClock, ids: systemIds },
      { connectionString: azurite.connectionString, ...tuning },
    );
    await direct.ensureContainers(['faults']);
  });
  afterEach(() => proxy?.stop());
  afterAll(() => azurite.stop());

  it('resumes a read or a range where the connection broke', async () => {
    const bytes = randomBytes(3_000_000);
    const ref = newRef();
    await direct.put(ref, bytes);
    const store = await connectThrough();
    proxy.cutAfter(700_000, 3);
    expect((await collect((await store.open(ref)).body)).equals(bytes)).toBe(true);
    expect(proxy.connections).toBe(4);
    proxy.cutAfter(700_000, 2);
    const range = { offset: 1_000, count: 2_000_000 };
    const part = await collect((await store.open(ref, { range })).body);
    expect(part.equals(bytes.subarray(1_000, 2_001_000))).toBe(true);
    expect(proxy.connections).toBe(6);
  });

  it('fails a read once connections deliver no more bytes', async () => {
    const ref = newRef();
    await direct.put(ref, randomBytes(3_000_000));
    const store = await connectThrough({ maxTries: 2 });
    const { body } = await store.open(ref);
    const read = async () => {
      // Every later connection breaks within the HTTP head.
      for await (const _ of body) proxy.stop().catch(expect.unreachable);
    };
    await expect(read()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it.each(['replaced', 'deleted'])(
    'never joins bytes of two versions of a blob that is %s meanwhile',
    async (change) => {
      const ref = newRef();
      await direct.put(ref, randomBytes(3_000_000));
      const store = await connectThrough();
      proxy.cutAfter(700_000);
      const { body } = await store.open(ref);
      await (change === 'deleted' ? direct.delete(ref) : direct.put(ref, randomBytes(3_000_000)));
      await expect(collect(body)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    },
  );

  const losses = [
    { what: 'a small body', body: () => randomBytes(10), text: 'PUT /' },
    { what: 'a body in blocks', body: () => randomBytes(200_000), text: 'comp=blocklist' },
  ];
  it.each(losses)('recognises its own success after a lost answer: $what', async ({ body, text }) => {
    const store = await connectThrough();
    const ref = newRef();
    for (const times of [1, 4]) {
      await direct.delete(ref);
      proxy.loseAnswerTo(text, times);
      const created = await store.put(ref, body(), { ifAbsent: true, metadata: { n: '1' } });
      expect(created).toEqual(await direct.head(ref));
      proxy.loseAnswerTo(text, times);
      const replaced = await store.put(ref, body(), { ifMatch: created.etag });
      expect(replaced).toEqual(await direct.head(ref));
      expect(replaced.etag).not.toBe(created.etag);
    }
    // Another writer's success is still a conflict.
    proxy.loseAnswerTo(text);
    await expect(store.put(ref, body(), { ifAbsent: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    proxy.loseAnswerTo(text);
    await expect(store.put(ref, body(), { ifMatch: '"0x1"' })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
  });

  it('acquires a lease, or commits blocks, after a lost answer', async () => {
    const store = await connectThrough();
    const ref = newRef();
    await store.stageBlock(ref, 'a', Buffer.from('a'));
    proxy.loseAnswerTo('comp=blocklist');
    expect(await store.commitBlocks(ref, ['a'], { ifAbsent: true })).toMatchObject({ sizeBytes: 1 });
    proxy.loseAnswerTo('comp=lease');
    const lease = await store.acquireLease(ref, 15);
    await lease.release();
  });

  it('times out when the head or the body of the answer stalls', async () => {
    const ref = newRef();
    await direct.put(ref, randomBytes(3_000_000));
    const store = await connectThrough({ maxTries: 2 });
    const { body } = await store.open(ref);
    proxy.hang();
    useVirtualTimers();
    for (const [what, call] of Object.entries(everyCall(store, ref))) {
      await expect(settle(call(), patienceMs), what).rejects.toMatchObject({ code: 'TIMEOUT' });
    }
    await expect(settle(collect(body), patienceMs)).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('reports a dead server as UNAVAILABLE for every operation', async () => {
    const store = await connectThrough();
    await proxy.stop();
    for (const [what, call] of Object.entries(everyCall(store, newRef()))) {
      await expect(call(), what).rejects.toSatisfy(
        (error) => isAppError(error, 'UNAVAILABLE') && retryIntent(error) === 'later',
      );
    }
  });

  it.each([
    [404, undefined, 'UNAVAILABLE'],
    [404, 'ResourceNotFound', 'NOT_FOUND'],
    [403, 'AuthorizationPermissionMismatch', 'UNAVAILABLE'],
    [401, 'InvalidAuthenticationInfo', 'UNAVAILABLE'],
    [503, 'ServerBusy', 'RATE_LIMITED'],
    [500, 'OperationTimedOut', 'TIMEOUT'],
    [500, 'InternalError', 'UNAVAILABLE'],
    [502, undefined, 'UNAVAILABLE'],
    [429, undefined, 'RATE_LIMITED'],
    [507, 'InsufficientStorage', 'INSUFFICIENT_STORAGE'],
    [409, 'ContainerBeingDeleted', 'UNAVAILABLE'],
    [413, 'RequestBodyTooLarge', 'PAYLOAD_TOO_LARGE'],
    [400, 'InvalidUri', 'INVALID_ARGUMENT'],
    [412, 'LeaseIdMissing', 'PRECONDITION_FAILED'],
    [409, 'LeaseAlreadyPresent', 'PRECONDITION_FAILED'],
  ])('reads an answer %i %s as %s', async (status, serviceCode, code) => {
    await using server = await startAnswering(status, serviceCode && { 'x-ms-error-code': serviceCode });
    const connectionString = moveBlobPort(azurite.connectionString, server.port);
    const store = createBlobStore(
      { clock: systemClock, ids: systemIds },
      { connectionString, ...tuning, maxTries: 2 },
    );
    for (const [what, call] of Object.entries(everyCall(store, newRef()))) {
      await expect(call(), what).rejects.toMatchObject({ name: 'AppError', code });
    }
  });

  it.each([429, 503])('returns the Retry-After of an answer %i', async (status) => {
    await using server = await startAnswering(status, { 'retry-after': '3' });
    const connectionString = moveBlobPort(azurite.connectionString, server.port);
    const store = createBlobStore(
      { clock: systemClock, ids: systemIds },
      { connectionString, ...tuning, maxTries: 1 },
    );
    await expect(store.head(newRef())).rejects.toMatchObject({ retryAfterMs: 3_000 });
  });
});

/** A server with one answer to every request. */
async function startAnswering(status: number, headers: Readonly<Record<string, string>> | undefined | '') {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, headers || {}).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function everyCall(store: BlobStore, ref: BlobRef): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    ping: () => store.ping(),
    head: () => store.head(ref),
    open: () => store.open(ref),
    put: () => store.put(ref, 'x'),
    putIfAbsent: () => store.put(ref, 'x', { ifAbsent: true }),
    putInBlocks: () => store.put(ref, Buffer.alloc(100_000)),
    delete: () => store.delete(ref),
    list: () => store.list(ref.container, { limit: 1 }),
    listFolder: () => store.listFolder(ref.container, { prefix: '', limit: 1 }),
    stageBlock: () => store.stageBlock(ref, 'a', Buffer.from('a')),
    commitBlocks: () => store.commitBlocks(ref, ['a']),
    acquireLease: () => store.acquireLease(ref, 15),
    ensureContainers: () => store.ensureContainers([ref.container]),
  };
}
