import { open as openFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteDocuments } from '../../shared/adapters/embedded/sqlite-documents.ts';
import { rateLimited } from '../../shared/platform/storage/document-rules.ts';
import type { DocumentQuery } from '../../shared/platform/storage/documents.ts';
import { createRuns } from '../support/documents/runs.ts';
import { openSqliteForTest } from '../support/documents/stores.ts';
import { expectError, failureOf, readAll } from './documents/fixture.ts';

const container = 'tracking';
const key = { container, partition: 'p', id: 'one' };

describe('SQLite documents: faults', () => {
  it('fail on demand, with a retry time', async () => {
    let failures = 2;
    const fail = () => (failures-- > 0 ? rateLimited(250) : undefined);
    const { store } = await openSqliteForTest({ faults: { fail } });
    const error = await expectError(store.create(key, { v: 1 }), 'RATE_LIMITED');
    expect(error.details).toEqual({ retryAfterMs: 250 });
    await expectError(store.get(key), 'RATE_LIMITED');
    expect(await store.get(key)).toBeUndefined();
  });

  it('return short and empty pages on demand', async () => {
    const sizes = [0, 2, 0, 1, 0];
    const { store } = await openSqliteForTest({ faults: { shortenPage: () => sizes.shift() } });
    await createRuns(store, container, 'p', 5);
    const query: DocumentQuery = {
      container,
      limit: 10,
      sort: { path: ['index'], direction: 'desc' },
    };
    const seen: number[] = [];
    const found: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(page.documents.length);
      found.push(...page.documents.map(({ body }) => body['index']));
      ({ cursor } = page);
    } while (cursor !== undefined && seen.length < 10);
    expect(seen).toEqual([0, 2, 0, 1, 0, 2]);
    expect(found).toEqual([4, 3, 2, 1, 0]);
  });

  it('a full disk is INSUFFICIENT_STORAGE, and nothing is lost or half written', async () => {
    const { store } = await openSqliteForTest({ maxSizeBytes: 400_000 });
    await store.create(key, { v: 1 });
    const text = 'x'.repeat(30_000);
    const stored: string[] = [];
    const write = async () => {
      for (let index = 0; index < 100; index += 1) {
        const { id } = await store.create({ ...key, id: `d${index}` }, { text, index });
        stored.push(id);
      }
    };
    await expectError(write(), 'INSUFFICIENT_STORAGE');
    await expectError(
      store.batch(container, 'p', [
        { kind: 'create', id: 'small', body: {} },
        { kind: 'create', id: 'large', body: { text: text.repeat(10) } },
      ]),
      'INSUFFICIENT_STORAGE',
    );
    expect((await readAll(store, { container, limit: 100 })).map(({ id }) => id)).toEqual(['one', ...stored]);
    expect(stored.length).toBeGreaterThan(3);
    await store.delete({ ...key, id: stored[0]! });
    await store.upsert(key, { v: 2 });
    expect((await store.get(key))?.body).toEqual({ v: 2 });
  });

  it("another writer's lock is RATE_LIMITED, and does not block readers", async () => {
    const { store, file } = await openSqliteForTest({ busyTimeoutMs: 20 });
    await store.create(key, { v: 1 });
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const error = await expectError(store.upsert(key, { v: 2 }), 'RATE_LIMITED');
    expect(error.details['retryAfterMs']).toBeGreaterThan(0);
    expect((await store.get(key))?.body).toEqual({ v: 1 });
    other.exec('ROLLBACK');
    other.close();
    await store.upsert(key, { v: 3 });
    expect((await store.get(key))?.body).toEqual({ v: 3 });
  });

  it('a damaged file, another version or another format is UNAVAILABLE, never empty', async () => {
    const { file, store } = await openSqliteForTest();
    const directory = join(file, '..');
    const attempt = (path: string) =>
      failureOf((async () => openSqliteDocuments({ clock: systemClock, ids: systemIds }, { file: path }))());
    const garbage = join(directory, 'garbage.db');
    await writeFile(garbage, 'this is no database, however long it gets. '.repeat(100));
    expect(await attempt(garbage)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await attempt(directory)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await attempt(join(garbage, 'below.db'))).toMatchObject({ code: 'UNAVAILABLE' });
    const later = join(directory, 'later.db');
    const database = new DatabaseSync(later);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA user_version = 99');
    database.close();
    expect(await attempt(later)).toMatchObject({ code: 'UNAVAILABLE', details: { version: 99 } });
    await createRuns(store, container, 'p', 500);
    await store.close();
    // The schema is intact; the pages after it are not.
    const { size } = await stat(file);
    const handle = await openFile(file, 'r+');
    await handle.write(Buffer.alloc(size - 60_000, 0xff), 0, size - 60_000, 60_000);
    await handle.close();
    const damaged = openSqliteDocuments({ clock: systemClock, ids: systemIds }, { file });
    await expectError(readAll(damaged, { container, limit: 1_000 }), 'UNAVAILABLE');
    await damaged.close();
  });

  it('a closed store is UNAVAILABLE', async () => {
    const { store } = await openSqliteForTest();
    await store.close();
    await expectError(store.get(key), 'UNAVAILABLE');
    await expectError(store.upsert(key, {}), 'UNAVAILABLE');
    await expectError(store.list({ container, limit: 1 }), 'UNAVAILABLE');
    await expectError(store.ping(), 'UNAVAILABLE');
    await expect(store.close()).resolves.toBeUndefined();
  });
});
