import { createHash, randomBytes } from 'node:crypto';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { isAppError } from '../../shared/core/errors.ts';
import type { BlobRef, BlobStore } from '../../shared/platform/storage/blobs.ts';
import { collect, inChunks } from '../support/blobs/bodies.ts';

export interface BlobContractTarget {
  readonly name: string;
  /** Why the suite cannot run here. */
  readonly skipReason?: string | undefined;
  /** Why the store cannot sign URLs; `presign` is then NOT_IMPLEMENTED. */
  readonly unsigned?: string;
  open(): Promise<{
    /** A store with blocks of 64 KiB, so that small streamed bodies have many. */
    readonly store: BlobStore;
    readonly container: string;
    dispose(): Promise<void>;
  }>;
}

/** The contract of every blob store. */
export function describeBlobContract(target: BlobContractTarget): void {
  const skip = target.skipReason === undefined ? '' : ` (skipped: ${target.skipReason})`;
  describe.skipIf(target.skipReason !== undefined)(`blobs on ${target.name}${skip}`, () => {
    let opened: Awaited<ReturnType<BlobContractTarget['open']>>;
    let store: BlobStore;
    beforeAll(async () => {
      opened = await target.open();
      ({ store } = opened);
    });
    afterAll(() => opened?.dispose());

    let count = 0;
    const newRef = (name = `blob-${(count += 1)}`): BlobRef => ({ container: opened.container, name });

    it('round-trips content and properties', async () => {
      const ref = newRef('folder/first.csv');
      const before = Date.now();
      const written = await store.put(ref, 'a,b\n1,2\n', {
        contentType: 'text/csv',
        metadata: { Source: 'unit test', rows: '1' },
      });
      expect(written).toMatchObject({
        ref,
        sizeBytes: 8,
        contentType: 'text/csv',
        metadata: { source: 'unit test', rows: '1' },
      });
      expect(Math.abs(written.lastModified - before)).toBeLessThan(15 * 60_000);
      expect(await store.head(ref)).toEqual(written);
      const opened = await store.open(ref);
      expect(opened.properties).toEqual(written);
      expect((await collect(opened.body)).toString()).toBe('a,b\n1,2\n');
    });

    it('accepts strings, bytes and streams: empty, and of every size around a block', async () => {
      const block = 64 * 1024;
      for (const size of [0, 1, block - 1, block, block + 1, 3 * block, 3 * block + 7]) {
        const bytes = randomBytes(size);
        for (const body of [bytes, new Uint8Array(bytes), inChunks(bytes, 10_000), inChunks(bytes, block)]) {
          const ref = newRef();
          const written = await store.put(ref, body);
          expect(written.sizeBytes).toBe(size);
          expect(await store.head(ref)).toEqual(written);
          expect((await collect((await store.open(ref)).body)).equals(bytes)).toBe(true);
        }
      }
    });

    it('overwrites unconditionally, with a new ETag', async () => {
      const ref = newRef();
      const first = await store.put(ref, 'old', { metadata: { a: '1' } });
      const second = await store.put(ref, 'newer');
      expect(second.etag).not.toBe(first.etag);
      expect(await store.head(ref)).toMatchObject({ etag: second.etag, sizeBytes: 5, metadata: {} });
    });

    it('keeps names with spaces, percent signs, plus signs, Unicode and deep paths unchanged', async () => {
      const names = [
        'a b',
        'a+b',
        'a%20b',
        '100%',
        'q?x=1&y#z',
        "it's",
        'ü/ñ/日本語.txt',
        'emoji😀',
        'e\u0301',
        '\u00e9',
        'a//b',
        '...a/b',
        `${'deep/'.repeat(50)}leaf`,
        'n'.repeat(1024),
      ].map((name) => `names/${name}`.slice(0, 1024));
      for (const name of names) await store.put(newRef(name), name);
      for (const name of names) {
        expect((await collect((await store.open(newRef(name))).body)).toString()).toBe(name);
      }
      const { blobs } = await store.list(opened.container, { prefix: 'names/', limit: 100 });
      expect(blobs.map(({ ref }) => ref.name).sort()).toEqual([...names].sort());
    });

    it('round-trips every name it accepts', async () => {
      const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).map((text) => `any/${text}`);
      const property = fc.asyncProperty(names, async (name) => {
        const ref = newRef(name);
        try {
          await store.put(ref, name);
        } catch (error) {
          return isAppError(error, 'INVALID_ARGUMENT');
        }
        const { blobs } = await store.list(opened.container, { prefix: name, limit: 5_000 });
        return blobs.some((blob) => blob.ref.name === name) && (await store.delete(ref));
      });
      expect(await fc.check(property, { numRuns: 40 })).toMatchObject({ failed: false });
    });

    it('refuses names that a URL would change, and invalid conditions', async () => {
      const names = [
        '',
        '/a',
        'a/',
        'a/../b',
        '../../b',
        '.',
        'a/./b',
        'a.',
        'a\\b',
        'a\nb',
        '\ud800',
        'n'.repeat(1025),
      ];
      for (const name of names) {
        await expect(store.put(newRef(name), 'x'), JSON.stringify(name)).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      }
      for (const container of ['', 'ab', 'Upper', 'a--b', '-ab', 'a/b']) {
        await expect(store.head({ container, name: 'x' }), container).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      }
      const options = [
        { ifAbsent: true, ifMatch: '"x"' },
        { metadata: { 'a-b': 'x' } },
        { metadata: { a: 'ü' } },
        { metadata: { a: ' x' } },
        { metadata: { a: '1', A: '2' } },
      ];
      for (const option of options) {
        await expect(store.put(newRef(), 'x', option)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      }
    });

    it('distinguishes a missing blob from a missing container', async () => {
      const missing = newRef('not/there');
      expect(await store.head(missing)).toBeUndefined();
      expect(await store.delete(missing)).toBe(false);
      const [blobMissing, containerMissing] = [
        { code: 'NOT_FOUND', details: { reason: 'blobMissing' } },
        { code: 'NOT_FOUND', details: { reason: 'containerMissing' } },
      ];
      await expect(store.open(missing)).rejects.toMatchObject(blobMissing);
      await expect(store.acquireLease(missing, 15)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const elsewhere = { container: 'slipway-no-such-container', name: 'x' };
      await expect(store.open(elsewhere)).rejects.toMatchObject(containerMissing);
      await expect(store.head(elsewhere)).rejects.toMatchObject(containerMissing);
      await expect(store.delete(elsewhere)).rejects.toMatchObject(containerMissing);
      await expect(store.put(elsewhere, 'x')).rejects.toMatchObject(containerMissing);
      await expect(store.list(elsewhere.container, { limit: 1 })).rejects.toMatchObject(containerMissing);
    });

    it('deletes once, and with ifMatch only the ETag that was read', async () => {
      const ref = newRef();
      const { etag } = await store.put(ref, 'one');
      await store.put(ref, 'two');
      await expect(store.delete(ref, { ifMatch: etag })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      expect(await store.delete(ref)).toBe(true);
      expect(await store.delete(ref)).toBe(false);
      expect(await store.head(ref)).toBeUndefined();
    });

    it.each(['in one request', 'in blocks'])('lets exactly one of 16 racing writers put, %s', async (how) => {
      const ref = newRef();
      const bodies = Array.from({ length: 16 }, (_, i) =>
        how === 'in blocks' ? Buffer.alloc(200_000, i) : Buffer.from([i]),
      );
      const outcomes = await Promise.allSettled(
        bodies.map((body) => store.put(ref, body, { ifAbsent: true })),
      );
      const winners = outcomes.flatMap((outcome, i) => (outcome.status === 'fulfilled' ? [i] : []));
      const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(winners).toHaveLength(1);
      for (const reason of reasons) expect(reason).toMatchObject({ code: 'ALREADY_EXISTS' });
      const won = bodies[winners[0] ?? -1];
      expect((await collect((await store.open(ref)).body)).equals(won ?? Buffer.of())).toBe(true);
    });

    it('puts only over the given ETag', async () => {
      const ref = newRef();
      await expect(store.put(ref, 'x', { ifMatch: '"0x1"' })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      const first = await store.put(ref, 'one');
      const second = await store.put(ref, 'two', { ifMatch: first.etag });
      for (const body of ['three', randomBytes(200_000)]) {
        await expect(store.put(ref, body, { ifMatch: first.etag })).rejects.toMatchObject({
          code: 'PRECONDITION_FAILED',
        });
      }
      await expect(store.open(ref, { ifMatch: first.etag })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      expect((await collect((await store.open(ref, { ifMatch: second.etag })).body)).toString()).toBe('two');
    });

    it('stores nothing of a body that throws, and keeps the previous blob', async () => {
      const broken = async function* () {
        yield randomBytes(300_000);
        throw new Error('the source broke');
      };
      const fresh = newRef();
      await expect(store.put(fresh, broken())).rejects.toThrow('the source broke');
      expect(await store.head(fresh)).toBeUndefined();
      expect((await store.list(opened.container, { prefix: fresh.name, limit: 10 })).blobs).toEqual([]);
      // A later put-if-absent is not blocked either, small or large.
      expect(await store.put(fresh, 'small', { ifAbsent: true })).toMatchObject({ sizeBytes: 5 });

      const old = newRef();
      const before = await store.put(old, 'before');
      await expect(store.put(old, broken())).rejects.toThrow('the source broke');
      expect(await store.head(old)).toEqual(before);
    });

    it('closes the source when it stops reading early', async () => {
      let ended = false;
      const source = async function* () {
        try {
          for (;;) yield randomBytes(100_000);
        } finally {
          ended = true;
        }
      };
      await expect(
        store.put({ container: 'slipway-no-such-container', name: 'x' }, source()),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(ended).toBe(true);
    });

    it('reads ranges as slices of the whole', async () => {
      const ref = newRef();
      const bytes = randomBytes(100_000);
      await store.put(ref, bytes);
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: bytes.length - 1 }),
          fc.option(fc.integer({ min: 1, max: 2 * bytes.length }), { nil: undefined }),
          async (offset, count) => {
            const range = count === undefined ? { offset } : { offset, count };
            const { body, properties } = await store.open(ref, { range });
            const expected = bytes.subarray(offset, count === undefined ? undefined : offset + count);
            expect((await collect(body)).equals(expected)).toBe(true);
            expect(properties.sizeBytes).toBe(bytes.length);
          },
        ),
        {
          numRuns: 30,
          examples: [
            [0, undefined],
            [0, 1],
            [bytes.length - 1, undefined],
          ],
        },
      );
      await store.put(newRef('empty'), '');
      const refused = [
        [ref, { offset: bytes.length }],
        [ref, { offset: bytes.length + 5, count: 1 }],
        [ref, { offset: -1 }],
        [ref, { offset: 0, count: 0 }],
        [newRef('empty'), { offset: 0 }],
      ] as const;
      for (const [of, range] of refused) {
        await expect(store.open(of, { range }), JSON.stringify(range)).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      }
    });

    it('lists in name order, page by page', async () => {
      const names = Array.from({ length: 25 }, (_, i) => `pages/${String(i).padStart(2, '0')}`);
      for (const name of [...names].reverse()) {
        await store.put(newRef(name), name, { ifAbsent: true, metadata: { Kind: 'page' } });
      }
      await store.put(newRef('pagesX'), 'not under the prefix');
      const seen = [];
      const sizes = [];
      let cursor: string | undefined;
      do {
        const page = await store.list(opened.container, {
          prefix: 'pages/',
          limit: 10,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.blobs);
        sizes.push(page.blobs.length);
        ({ cursor } = page);
      } while (cursor !== undefined);
      expect(seen.map(({ ref }) => ref.name)).toEqual(names);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
      expect(seen[3]).toEqual(await store.head(newRef('pages/03')));
      for (const limit of [0, 5_001, 1.5]) {
        await expect(store.list(opened.container, { limit })).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
        });
      }
    });

    it('lists the direct blobs and subfolders of one folder', async () => {
      const names = ['b.txt', 'a/1', 'a/deep/2', 'a/deep/3', 'a+b/x', 'ü #?%25/x', 'c', 'a.b/x'].map(
        (name) => `tree/${name}`,
      );
      for (const name of names) await store.put(newRef(name), name);
      const walk = async (prefix: string, limit: number) => {
        const blobs: string[] = [];
        const folders: string[] = [];
        let cursor: string | undefined;
        do {
          const options = cursor === undefined ? { prefix, limit } : { prefix, limit, cursor };
          const page = await store.listFolder(opened.container, options);
          expect(page.blobs.length + page.folders.length).toBeLessThanOrEqual(limit);
          blobs.push(...page.blobs.map(({ ref }) => ref.name));
          folders.push(...page.folders);
          ({ cursor } = page);
        } while (cursor !== undefined);
        return { blobs, folders };
      };
      for (const limit of [1, 2, 100]) {
        expect(await walk('tree/', limit)).toEqual({
          blobs: ['tree/b.txt', 'tree/c'],
          folders: ['tree/a+b/', 'tree/a.b/', 'tree/a/', 'tree/ü #?%25/'],
        });
        expect(await walk('tree/a/', limit)).toEqual({ blobs: ['tree/a/1'], folders: ['tree/a/deep/'] });
      }
      expect((await walk('', 100)).folders).toContain('tree/');
      expect(await walk('tree/b.txt/', 10)).toEqual({ blobs: [], folders: [] });
      const [blob] = (await store.listFolder(opened.container, { prefix: 'tree/a/', limit: 10 })).blobs;
      expect(blob).toEqual(await store.head(newRef('tree/a/1')));
      await expect(store.listFolder(opened.container, { prefix: 'tree', limit: 1 })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    });

    it.skipIf(target.unsigned)(
      'signs URLs that read or write exactly one blob, for a limited time',
      async () => {
        const ref = newRef("signed/ü +%20#?&=' name.bin");
        const other = newRef('signed/other');
        const expiresAt = Date.now() + 60_000;
        const writeUrl = await store.presign(ref, { access: 'write', expiresAt });
        const put = (url: string, body: string) =>
          fetch(url, { method: 'PUT', body, headers: { 'x-ms-blob-type': 'BlockBlob' } });
        expect((await put(writeUrl, 'by URL')).status).toBe(201);
        await store.put(other, 'other');

        const readUrl = await store.presign(ref, {
          access: 'read',
          expiresAt,
          contentType: 'text/plain',
          contentDisposition: 'attachment; filename=x.txt',
        });
        const read = await fetch(readUrl, { headers: { range: 'bytes=3-' } });
        expect([read.status, await read.text()]).toEqual([206, 'URL']);
        expect(read.headers.get('content-type')).toBe('text/plain');
        expect(read.headers.get('content-disposition')).toBe('attachment; filename=x.txt');

        const refused = [
          put(readUrl, 'no'),
          fetch(writeUrl),
          fetch(readUrl, { method: 'DELETE' }),
          fetch(writeUrl, { method: 'DELETE' }),
          fetch(moveTo(readUrl, other.name)),
          put(moveTo(writeUrl, other.name), 'no'),
          fetch(readUrl.replace(/se=[^&]*/, `se=${encodeURIComponent('2099-01-01T00:00:00Z')}`)),
        ];
        for (const [index, answer] of (await Promise.all(refused)).entries())
          expect(answer.status, `refused ${index}`).toBe(403);
        expect((await collect((await store.open(other)).body)).toString()).toBe('other');
        for (const time of [Date.now() - 1, Date.now() + 8 * 24 * 3_600_000, NaN])
          await expect(store.presign(ref, { access: 'read', expiresAt: time })).rejects.toMatchObject({
            code: 'INVALID_ARGUMENT',
          });
      },
    );

    it.skipIf(target.unsigned)(
      'commits blocks uploaded by URL in order, and repeats the commit',
      async () => {
        const ref = newRef('signed/ü blocks.bin');
        const ids = ['up-1', 'up-2', 'up-3'];
        const urls = await store.presignBlocks(ref, ids, { expiresAt: Date.now() + 60_000 });
        const parts = ids.map((_, index) => randomBytes(1_000 * (index + 1)));
        // Out of order, and one twice, as by a client that lost an answer.
        for (const index of [2, 0, 1, 0]) {
          const answer = await fetch(urls[index]!, { method: 'PUT', body: parts[index]! });
          expect(answer.status).toBe(201);
        }
        expect(await store.head(ref)).toBeUndefined();
        for (let times = 0; times < 2; times += 1) {
          const committed = await store.commitBlocks(ref, ids, { contentType: 'text/plain' });
          expect(committed).toMatchObject({ sizeBytes: 6_000, contentType: 'text/plain' });
          expect((await collect((await store.open(ref)).body)).equals(Buffer.concat(parts))).toBe(true);
        }
      },
    );

    it('assembles a blob of blocks in the order of the commit', async () => {
      const ref = newRef();
      for (const id of ['c', 'a', 'b']) await store.stageBlock(ref, id, Buffer.from(id.repeat(3)));
      expect(await store.head(ref)).toBeUndefined();
      const committed = await store.commitBlocks(ref, ['a', 'b', 'c'], {
        ifAbsent: true,
        metadata: { n: '3' },
      });
      expect(committed).toEqual(await store.head(ref));
      expect(committed).toMatchObject({ sizeBytes: 9, metadata: { n: '3' } });
      expect((await collect((await store.open(ref)).body)).toString()).toBe('aaabbbccc');
      await store.stageBlock(ref, 'd', Buffer.from('d'));
      await expect(store.commitBlocks(ref, ['d'], { ifAbsent: true })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      });
      await expect(store.commitBlocks(ref, ['z'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await expect(store.commitBlocks(ref, ['a', 'bb'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    });

    it('refreshes the age of a blob, and keeps its content and properties', async () => {
      const ref = newRef('touched');
      const old = await store.put(ref, 'content', { contentType: 'text/x-own', metadata: { a: 'b' } });
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      expect(await store.touch(ref)).toBe(true);
      const young = (await store.head(ref))!;
      expect(young.etag).not.toBe(old.etag);
      expect(young.lastModified).toBeGreaterThan(old.lastModified);
      expect(young).toMatchObject({ sizeBytes: 7, contentType: 'text/x-own', metadata: { a: 'b' } });
      await expect(store.delete(ref, { ifMatch: old.etag })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
      expect((await collect((await store.open(ref)).body)).toString()).toBe('content');
      expect(await store.touch(newRef('nothing-to-touch'))).toBe(false);
      await expect(store.touch({ container: 'no-such-container', name: 'x' })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });

    it('refuses writes of everyone but the lease holder', async () => {
      const ref = newRef();
      await store.put(ref, 'one');
      const lease = await store.acquireLease(ref, 15);
      const writes = [
        () => store.acquireLease(ref, 15),
        () => store.put(ref, 'two'),
        () => store.put(ref, randomBytes(200_000)),
        () => store.put(ref, 'two', { leaseId: 'a5f0e6f4-0000-4000-8000-000000000000' }),
        () => store.delete(ref),
      ];
      for (const write of writes)
        await expect(write()).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
      expect((await collect((await store.open(ref)).body)).toString()).toBe('one');
      await lease.renew();
      await store.put(ref, 'by the holder', { leaseId: lease.id });
      await store.put(ref, inChunks(randomBytes(200_000), 50_000), { leaseId: lease.id });
      await lease.release();
      await expect(lease.renew()).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
      await (await store.acquireLease(ref, 15)).release();
      await store.put(ref, 'free again');
      for (const seconds of [0, 14, 61, -1, 15.5]) {
        await expect(store.acquireLease(ref, seconds)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      }
    });

    it('stops reading on abort, and when the loop ends early', async () => {
      const ref = newRef();
      await store.put(ref, randomBytes(5_000_000));
      const controller = new AbortController();
      const { body } = await store.open(ref, { signal: controller.signal });
      const read = async () => {
        for await (const _ of body) controller.abort();
      };
      await expect(read()).rejects.toMatchObject({ code: 'CANCELLED' });
      await expect(store.open(ref, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'CANCELLED',
      });
      for await (const _ of (await store.open(ref)).body) break;
      await store.ping();
    });

    it('streams 20 MB up and down unchanged', async () => {
      const ref = newRef();
      const bytes = randomBytes(20_000_000);
      await store.put(ref, inChunks(bytes, 77_777));
      const hash = createHash('sha256');
      for await (const chunk of (await store.open(ref)).body) hash.update(chunk);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    });

    it('creates containers idempotently, and answers a ping', async () => {
      await expect(store.ensureContainers([opened.container, opened.container])).resolves.toBeUndefined();
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}

/** A signed URL, used for another blob of the same container. */
function moveTo(url: string, name: string): string {
  const moved = new URL(url);
  const folders = moved.pathname.split('/');
  moved.pathname = [...folders.slice(0, folders.indexOf('signed')), name].join('/');
  return moved.href;
}
