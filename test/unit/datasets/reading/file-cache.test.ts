import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AppError } from '../../../../shared/core/errors.ts';
import { sha256 } from '../../../../shared/core/ids.ts';
import { createFileCache } from '../../../../shared/domains/datasets/reading/file-cache.ts';
import type { DataFile } from '../../../../shared/domains/datasets/tables/data-file.ts';
import { createScratch } from '../../../../shared/adapters/embedded/scratch-files.ts';
import type { Scratch } from '../../../../shared/platform/storage/scratch.ts';
import { createMemoryBlobs } from '../../../support/blobs/memory-blobs.ts';
import { createFolder } from '../../../support/stores.ts';

/** A cache over files of a hundred bytes each, which counts downloads and can block them. */
function createFixture(limitBytes = 1_000) {
  const folder = createFolder();
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const texts = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(100, '.'));
  const files = texts.map((text): DataFile => ({
    path: `sales/${sha256(text)}.parquet`,
    sha256: sha256(text),
    sizeBytes: 100,
    rows: 1,
  }));
  const blobs = createMemoryBlobs(
    Object.fromEntries(files.map(({ path }, i) => [`datasets/${path}`, texts[i] ?? ''])),
  );
  const real = createScratch(blobs);
  const downloads: string[] = [];
  const state = { running: 0, most: 0, gate: Promise.resolve(), failures: [] as Error[] };
  const scratch: Scratch = {
    ...real,
    async download(ref, options) {
      downloads.push(ref.name);
      state.running += 1;
      state.most = Math.max(state.most, state.running);
      try {
        const failure = state.failures.pop();
        if (failure) throw failure;
        await Promise.race([state.gate, aborted(options.signal)]);
        return await real.download(ref, options);
      } finally {
        state.running -= 1;
      }
    },
  };
  const cache = createFileCache({ scratch, exists: async (path) => existsSync(path) }, { limitBytes });
  const onDisk = () => readdirSync(folder).length;
  return { cache, files, texts, blobs, downloads, state, onDisk };
}

async function aborted(signal: AbortSignal | undefined): Promise<never> {
  return await new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new AppError('CANCELLED', 'aborted')), { once: true });
  });
}

test('downloads a file once for concurrent callers, and returns files in request order', async () => {
  const { cache, files, texts, downloads } = createFixture();
  const wanted = [files[2]!, files[0]!, files[2]!, files[1]!];
  const leases = await Promise.all(Array.from({ length: 20 }, () => cache.open(wanted)));
  for (const { paths } of leases) {
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(
      [2, 0, 2, 1].map((index) => texts[index]),
    );
    expect(paths.every((path) => path.endsWith('.parquet'))).toBe(true);
  }
  expect(downloads.toSorted()).toEqual([files[0]!, files[1]!, files[2]!].map(({ path }) => path).toSorted());
});

test('runs at most eight downloads at once', async () => {
  const { cache, files, state } = createFixture(10_000);
  await cache.open(files);
  expect(state.most).toBe(8);
});

test('evicts unheld files, least recently used first, and keeps held ones', async () => {
  const { cache, files, downloads, onDisk } = createFixture(300);
  const [a, b, c, d] = files as [DataFile, DataFile, DataFile, DataFile];
  const held = await cache.open([a]);
  for (const file of [b, c, b]) await (await cache.open([file]))[Symbol.asyncDispose]();
  await (await cache.open([d]))[Symbol.asyncDispose]();
  expect(onDisk()).toBe(3);
  expect(existsSync(held.paths[0]!)).toBe(true);
  downloads.length = 0;
  await using _again = await cache.open([a, b, d]);
  expect(downloads).toEqual([]);
  await (await cache.open([c]))[Symbol.asyncDispose]();
  expect(downloads).toEqual([c.path]);
});

test('files in use may exceed the limit up to a cap, whose error names the setting; then the cache shrinks', async () => {
  const { cache, files, onDisk } = createFixture(300);
  {
    await using _lease = await cache.open(files.slice(0, 12));
    expect(onDisk()).toBe(12);
    await expect(cache.open(files.slice(12, 13))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      details: { retryAfterMs: expect.any(Number) },
    });
    // Cached files need no further space.
    await using _same = await cache.open(files.slice(3, 5));
  }
  expect(onDisk()).toBe(3);
  await expect(cache.open(files.slice(0, 13))).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    message: expect.stringContaining('SLIPWAY_DATA_CACHE_BYTES'),
  });
});

test.each([
  ['other bytes of the same length', '!'.repeat(100)],
  ['fewer bytes', 'cut'],
  ['more bytes', '!'.repeat(1_000)],
])('refuses %s, and does not keep them', async (_, text) => {
  const { cache, files, blobs, onDisk } = createFixture();
  const [file] = files as [DataFile];
  await blobs.put({ container: 'datasets', name: file.path }, text);
  const opening = cache.open([file, ...files.slice(1, 4)]);
  await expect(opening).rejects.toMatchObject({
    code: 'UNPROCESSABLE',
    message: expect.stringContaining('differ from those of the version'),
    details: { path: file.path },
  });
  await using _others = await cache.open(files.slice(1, 4));
  expect(onDisk()).toBe(3);
});

test('a failed download fails all its waiters, and the next caller tries again', async () => {
  const { cache, files, state, downloads } = createFixture();
  state.failures.push(new AppError('UNAVAILABLE', 'The storage is down.'));
  const results = await Promise.allSettled([cache.open(files.slice(0, 1)), cache.open(files.slice(0, 1))]);
  for (const result of results)
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
  await using lease = await cache.open(files.slice(0, 1));
  expect(existsSync(lease.paths[0]!)).toBe(true);
  expect(downloads).toHaveLength(2);
});

test('evicts unheld files when the disk is full, and fails only then', async () => {
  const { cache, files, state, onDisk } = createFixture();
  await (await cache.open(files.slice(0, 5)))[Symbol.asyncDispose]();
  const full = () => new AppError('INSUFFICIENT_STORAGE', 'The disk is full.');
  state.failures.push(full());
  {
    await using _lease = await cache.open(files.slice(5, 6));
    expect(onDisk()).toBe(1);
  }
  state.failures.push(full(), full());
  await expect(cache.open(files.slice(6, 7))).rejects.toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
});

test('the download stops when its last waiter aborts', async () => {
  const { cache, files, state, downloads, onDisk } = createFixture();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.gate = promise;
  const [first, second] = [new AbortController(), new AbortController()];
  const one = cache.open(files.slice(0, 1), { signal: first.signal });
  const two = cache.open(files.slice(0, 2), { signal: second.signal });
  first.abort();
  await expect(one).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(state.running).toBe(2);
  second.abort();
  await expect(two).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect.poll(() => state.running).toBe(0);
  const again = cache.open(files.slice(0, 1));
  await expect.poll(() => state.running).toBe(1);
  resolve();
  await using lease = await again;
  expect(lease.paths).toHaveLength(1);
  expect(downloads).toHaveLength(3);
  expect(onDisk()).toBe(1);
  await expect(cache.open(files, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'CANCELLED',
  });
});

test('downloads a file again that the system has removed', async () => {
  const { cache, files, downloads } = createFixture();
  {
    await using lease = await cache.open(files.slice(0, 1));
    rmSync(dirname(lease.paths[0]!), { recursive: true });
  }
  await using lease = await cache.open(files.slice(0, 1));
  expect(existsSync(lease.paths[0]!)).toBe(true);
  expect(downloads).toHaveLength(2);
});

test('disposing twice releases once', async () => {
  const { cache, files, onDisk } = createFixture(100);
  const first = await cache.open(files.slice(0, 1));
  await using second = await cache.open(files.slice(0, 1));
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await (await cache.open(files.slice(1, 2)))[Symbol.asyncDispose]();
  expect(existsSync(second.paths[0]!)).toBe(true);
  expect(onDisk()).toBe(1);
});
