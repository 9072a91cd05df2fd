import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { sha256, systemIds } from '../../shared/core/ids.ts';
import { createScratch } from '../../shared/adapters/embedded/scratch-files.ts';
import { moveBlobPort, startTestAzurite } from '../support/azurite/azurite.ts';
import { startFlakyProxy } from '../support/flaky-proxy.ts';
import { createFolder } from '../support/stores.ts';

const ref = { container: 'scratch', name: 'a/ship in a bottle?.bin' };

async function open(bytes: Uint8Array) {
  const azurite = await startTestAzurite();
  onTestFinished(() => azurite.stop());
  const proxy = await startFlakyProxy(azurite.port);
  onTestFinished(() => proxy.stop());
  const blobs = createBlobStore(
    { clock: systemClock, ids: systemIds },
    { connectionString: moveBlobPort(azurite.connectionString, proxy.port), retryDelayMs: 10 },
  );
  await blobs.ensureContainers([ref.container]);
  const { etag } = await blobs.put(ref, bytes);
  return { proxy, etag, scratch: createScratch(blobs) };
}

test('a scratch file keeps the bytes and their hash until disposal, also after a broken connection', async () => {
  const bytes = Buffer.alloc(3_000_000, 'slipway');
  const { scratch, proxy, etag } = await open(bytes);
  proxy.cutAfter(1_000_000, 1);
  let path: string;
  {
    await using file = await scratch.download(ref, { maxBytes: bytes.length, ifMatch: etag });
    ({ path } = file);
    expect(file).toMatchObject({ sha256: sha256(bytes), sizeBytes: bytes.length });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  }
  expect(existsSync(dirname(path))).toBe(false);
});

test('a refused download leaves no file and no open connection', async () => {
  const bytes = Buffer.alloc(8_000_000, 'slipway');
  const { scratch, proxy } = await open(bytes);
  const temporary = createFolder();
  vi.stubEnv('TMPDIR', temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(scratch.download(ref, { maxBytes: bytes.length - 1 })).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    details: { sizeBytes: bytes.length },
  });
  await expect(scratch.download(ref, { maxBytes: 1e9, ifMatch: '"other"' })).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
  });
  await expect(scratch.download({ ...ref, name: 'missing' }, { maxBytes: 1e9 })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  const cancelled = AbortSignal.abort(new Error('enough'));
  await expect(scratch.download(ref, { maxBytes: 1e9, signal: cancelled })).rejects.toThrow('enough');
  expect(readdirSync(temporary)).toEqual([]);
  // Idle connections are kept for the next request; one with unread data is not idle.
  await expect.poll(() => proxy.openConnections).toBeLessThanOrEqual(1);
});

test('a second file in the same folder is removed with the first', async () => {
  const bytes = Buffer.from('slipway');
  const { scratch } = await open(bytes);
  let path: string;
  {
    await using file = await scratch.download(ref, { maxBytes: 100 });
    const beside = (place: string) => scratch.download(ref, { maxBytes: 100, beside: { file, path: place } });
    ({ path } = await beside('w/a.data'));
    expect(path).toBe(join(dirname(file.path), 'w', 'a.data'));
    expect(readFileSync(path).equals(bytes)).toBe(true);
    for (const place of ['../a', '/a', '.', 'w/../../a', 'w/a.data', 'w/a.data/b', 'w', basename(file.path)])
      await expect(beside(place), place).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});
