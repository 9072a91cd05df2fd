import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { schemaVersion } from '../../shared/adapters/embedded/documents/schema.ts';
import type { JsonObject } from '../../shared/core/json/json.ts';
import type { MetadataStore } from '../../shared/platform/storage/documents.ts';
import { openSqliteForTest } from '../support/documents/stores.ts';
import { expectError, readAll } from './documents/fixture.ts';

const container = 'tracking';
const key = { container, partition: 'p', id: 'one' };

const findAll = async (store: MetadataStore, path = 'v') => {
  const sort = { path: [path], direction: 'asc' } as const;
  return (await readAll(store, { container, limit: 1_000, sort })).map(({ id }) => id);
};

interface Beside {
  readonly exec: (sql: string) => void;
  readonly count: (table: string) => number;
}

/** Another connection to the store's file. */
function openBeside(file: string): Beside {
  const database = new DatabaseSync(file);
  onTestFinished(() => database.close());
  return {
    exec: (sql: string) => database.exec(sql),
    count: (table: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!['n']),
  };
}

describe('SQLite documents: the index', () => {
  it('records a written document, and indexes it at the next query', async () => {
    const { store, file } = await openSqliteForTest();
    const { count } = openBeside(file);
    await store.create(key, { v: 1, w: { x: 2 } });
    expect([count('unindexed'), count('fields')]).toEqual([1, 0]);
    expect(await findAll(store)).toEqual(['one']);
    expect([count('unindexed'), count('fields')]).toEqual([0, 2]);
  });

  it('indexes a document once, however often it has changed', async () => {
    const { store, file } = await openSqliteForTest();
    const { count, exec } = openBeside(file);
    await store.create(key, { v: 0 });
    await findAll(store);
    exec(`CREATE TABLE changes (what TEXT);
      CREATE TRIGGER inserted AFTER INSERT ON fields BEGIN INSERT INTO changes VALUES ('+'); END;
      CREATE TRIGGER deleted AFTER DELETE ON fields BEGIN INSERT INTO changes VALUES ('-'); END;`);
    for (let v = 1; v <= 50; v += 1) await store.upsert(key, { v });
    expect(
      await readAll(store, {
        container,
        limit: 9,
        filter: { op: 'compare', test: 'eq', path: ['v'], value: 50 },
      }),
    ).toHaveLength(1);
    expect(count('changes')).toBe(2);
    // Equal to the indexed state: nothing to write.
    await store.upsert(key, { v: 51 });
    await store.upsert(key, { v: 50 });
    expect(await findAll(store)).toEqual(['one']);
    expect(count('changes')).toBe(2);
  });

  it('indexes during the write of the 256th document of the backlog', async () => {
    const { store, file } = await openSqliteForTest();
    const { count } = openBeside(file);
    let most = 0;
    for (let v = 0; v < 600; v += 1) {
      await store.create({ ...key, id: `d${v}` }, { v });
      most = Math.max(most, count('unindexed'));
    }
    expect(most).toBe(255);
    expect(count('fields')).toBe(512);
    expect(await findAll(store)).toHaveLength(600);
  });

  const halfMegabyte = 'x'.repeat(500_000);
  it.each<[string, (store: MetadataStore) => Promise<void>]>([
    [
      'new documents',
      async (store) => {
        for (const id of ['a', 'b', 'c', 'd']) await store.create({ ...key, id }, { text: halfMegabyte });
      },
    ],
    [
      'documents that grow after they were recorded',
      async (store) => {
        for (const id of ['a', 'b', 'c', 'd']) await store.create({ ...key, id }, { text: '' });
        for (const id of ['a', 'b', 'c', 'd']) await store.upsert({ ...key, id }, { text: halfMegabyte });
      },
    ],
    [
      'bodies that the index describes',
      async (store) => {
        for (const id of ['a', 'b', 'c', 'd']) await store.create({ ...key, id }, { text: halfMegabyte });
        for (const id of ['a', 'b', 'c', 'd']) await store.upsert({ ...key, id }, { text: '' });
      },
    ],
  ])('indexes at 2 MB: %s', async (_, write) => {
    const { store, file } = await openSqliteForTest();
    await write(store);
    expect(openBeside(file).count('unindexed')).toBe(0);
    expect(await findAll(store, 'text')).toHaveLength(4);
  });

  it('counts the backlog of an earlier process', async () => {
    const fixture = await openSqliteForTest();
    const { store, file } = fixture;
    const { count } = openBeside(file);
    for (let v = 0; v < 200; v += 1) await store.create({ ...key, id: `d${v}` }, { v });
    await store.close();
    const later = await fixture.reopen();
    for (let v = 200; v < 256; v += 1) await later.create({ ...key, id: `d${v}` }, { v });
    expect([count('unindexed'), count('fields')]).toEqual([0, 256]);
  });

  it('removes the index rows of deleted documents, changed or not', async () => {
    const fixture = await openSqliteForTest();
    const { store, file } = fixture;
    const { count } = openBeside(file);
    const write = (id: string, body: JsonObject, ttlSeconds?: number) =>
      store.upsert({ ...key, id }, body, ttlSeconds === undefined ? {} : { ttlSeconds });
    await write('indexed', { v: 1 });
    await write('changed', { v: 2, gone: true });
    await write('expires', { v: 3 }, 60);
    expect(await findAll(store)).toEqual(['indexed', 'changed', 'expires']);
    await write('changed', { v: 4, come: true });
    await write('expires', { v: 5 }, 60);
    await write('new', { v: 6 });
    for (const id of ['indexed', 'changed', 'new']) await store.delete({ ...key, id });
    await fixture.passTime(60_000);
    await write('other', {});
    await store.delete({ ...key, id: 'other' });
    expect(await findAll(store)).toEqual([]);
    for (const table of ['documents', 'unindexed', 'fields', 'partitions'])
      expect([table, count(table)]).toEqual([table, 0]);
  });

  it('finds documents that another process wrote', async () => {
    const fixture = await openSqliteForTest();
    const { store } = fixture;
    const other = await fixture.reopen();
    for (const v of [1, 2, 3, 4]) await (v % 2 ? store : other).create({ ...key, id: `d${v}` }, { v });
    expect(await findAll(other)).toEqual(['d1', 'd2', 'd3', 'd4']);
    await other.upsert({ ...key, id: 'd1' }, { v: 5 });
    expect(await findAll(store)).toEqual(['d2', 'd3', 'd4', 'd1']);
  });

  it('writes few pages for a small document', async () => {
    const { store, file } = await openSqliteForTest();
    const writes = 200;
    for (let v = 0; v < writes; v += 1) {
      const fields = Array.from({ length: 20 }, (_, n) => [`f${n}`, (v * 7_919 * (n + 1)) % 10_007] as const);
      await store.create({ ...key, id: `d${v}` }, { v, ...Object.fromEntries(fields) });
    }
    const pageBytes = 4_096 + 24;
    expect((await stat(`${file}-wal`)).size / pageBytes / writes).toBeLessThan(10);
  });

  it('finds every document on a full disk', async () => {
    const { store, file } = await openSqliteForTest({ maxSizeBytes: 200_000 });
    const { count } = openBeside(file);
    const text = 'x'.repeat(900);
    const stored: string[] = [];
    const fill = async () => {
      for (let v = 0; v < 200; v += 1) {
        const id = `d${v}`;
        await store.create({ ...key, id }, { v, text, more: text.slice(1) });
        stored.push(id);
      }
    };
    await expectError(fill(), 'INSUFFICIENT_STORAGE');
    expect(await findAll(store)).toEqual(stored);
    expect(await findAll(store)).toEqual(stored);
    expect(count('unindexed')).toBe(stored.length);
    for (const id of stored.splice(0, 50)) await store.delete({ ...key, id });
    expect(await findAll(store)).toEqual(stored);
    expect(count('unindexed')).toBe(0);
    expect(await findAll(store, 'more')).toEqual(stored);
  });

  it('migrates a file from before documents were indexed in groups', async () => {
    const fixture = await openSqliteForTest();
    const { store, file } = fixture;
    await store.create(key, { v: 2 });
    await store.create({ ...key, id: 'two' }, { v: 1 });
    await findAll(store);
    await store.close();
    const { exec } = openBeside(file);
    exec('DROP TABLE unindexed; PRAGMA user_version = 1');
    const later = await fixture.reopen();
    expect(await findAll(later)).toEqual(['two', 'one']);
    await later.upsert(key, { v: 0 });
    expect(await findAll(later)).toEqual(['one', 'two']);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: schemaVersion });
    database.close();
  });
});
