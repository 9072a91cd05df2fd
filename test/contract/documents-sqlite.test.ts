import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open as openFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import type { FieldRange } from '../../shared/embedded/documents/ranges.ts';
import {
  countRangeSql,
  scanDocumentsSql,
  scanFieldSql,
  scanRangeSql,
} from '../../shared/embedded/documents/index-scans.ts';
import type { PageCost } from '../../shared/embedded/documents/reads.ts';
import { defaultBudget } from '../../shared/embedded/documents/reads.ts';
import type { SqliteDocumentsOptions } from '../../shared/embedded/sqlite-documents.ts';
import { openSqliteDocuments } from '../../shared/embedded/sqlite-documents.ts';
import { rateLimited } from '../../shared/storage/document-rules.ts';
import type { DocumentQuery, MetadataStore } from '../../shared/storage/documents.ts';
import type { SqliteFixture } from '../support/document-stores.ts';
import { openSqliteFixture } from '../support/document-stores.ts';
import { expectError, failureOf, readAll } from './documents.contract.ts';

const container = 'tracking';
const key = { container, partition: 'p', id: 'one' };
const opened: SqliteFixture[] = [];

async function open(options: Partial<SqliteDocumentsOptions> = {}): Promise<SqliteFixture> {
  const fixture = await openSqliteFixture(options);
  opened.push(fixture);
  return fixture;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((fixture) => fixture.dispose()));
});

/** A linear congruential generator (MINSTD): the same runs on every machine. */
function makeRuns(
  count: number,
  partition = 'experiment',
): readonly { readonly id: string; readonly body: JsonObject }[] {
  let state = 1;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: count }, (_, index) => ({
    id: `${partition}-${index}`,
    body: { status: index % 3 ? 'FINISHED' : 'FAILED', metrics: { auc: random(), loss: random() }, index },
  }));
}

async function fill(store: MetadataStore, partition: string, count: number): Promise<void> {
  const runs = makeRuns(count, partition);
  for (let from = 0; from < count; from += 100)
    await store.batch(
      container,
      partition,
      runs.slice(from, from + 100).map(({ id, body }) => ({ kind: 'create', id, body })),
    );
}

describe('SQLite documents: cost', () => {
  const path = '"metrics"."auc"';
  const range: FieldRange = { path, type: 2, lower: { value: 0.5, inclusive: false } };
  const after = { value: 0.7, seq: 5 };

  it.each([
    ['a container', { container }],
    ['a partition', { container, partitionId: 1 }],
  ])('every query of %s is answered in the order of an index', async (_, scope) => {
    const { file } = await open();
    const database = new DatabaseSync(file, { readOnly: true });
    const statements = [
      scanDocumentsSql(scope, 7),
      scanFieldSql(scope, range, true, undefined),
      scanFieldSql(scope, range, false, after),
      scanFieldSql(scope, { ...range, upper: { value: 0.9, inclusive: true } }, true, after),
      scanRangeSql(scope, range),
      countRangeSql(scope, range, 10),
    ];
    const plans = statements.map(({ sql, values }) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...values)
        .map((step) => String(step['detail'])),
    );
    // A SCAN reads a table through (the subquery of a count is none); a TEMP B-TREE sorts.
    expect(plans.flat().filter((step) => /SCAN (?!\(subquery)|TEMP B-TREE/.test(step))).toEqual([]);
    const searches = plans.map((plan) =>
      /\((?<terms>.*)\)/.exec(plan.find((step) => /^SEARCH [fd] /.test(step))!),
    );
    const within = 'partitionId' in scope ? 'partition_id=? AND ' : '';
    expect(searches.map((search) => search?.groups?.['terms'])).toEqual([
      'partitionId' in scope ? 'partition_id=? AND rowid>?' : 'container=? AND rowid>?',
      `${within}path_id=? AND type=? AND value>?`,
      `${within}path_id=? AND type=? AND value>? AND (value,seq)<(?,?)`,
      `${within}path_id=? AND type=? AND (value,seq)>(?,?) AND value<?`,
      `${within}path_id=? AND type=? AND value>?`,
      `${within}path_id=? AND type=? AND value>?`,
    ]);
    database.close();
  });

  it('a page of 100 of 100,000 runs, filtered by one metric and sorted by another, reads few rows', async () => {
    const costs: PageCost[] = [];
    const { store } = await open({ onPage: (cost) => costs.push(cost) });
    await fill(store, 'experiment', 100_000);
    await fill(store, 'other', 300);
    const costOf = async (query: Partial<DocumentQuery>) => {
      const page = await store.list({ container, limit: 100, ...query });
      expect(page.documents.length).toBeGreaterThan(0);
      return { ...costs.at(-1)!, found: page.documents.length };
    };
    const auc = ['metrics', 'auc'] as const;
    const sort = { path: ['metrics', 'loss'], direction: 'asc' } as const;
    const greater = (value: number) => ({ op: 'gt', path: auc, value }) as const;
    for (const partition of ['experiment', undefined]) {
      const scope = partition === undefined ? {} : { partition };
      // About half of the runs: along the sort index, every second one fits.
      const half = await costOf({ ...scope, filter: greater(0.5), sort });
      expect(half).toMatchObject({ plan: 'walk', found: 100 });
      expect(half.probedRows).toBe(defaultBudget.gatheredDocuments + 1);
      expect(half.visitedRows).toBeLessThan(300);
      // About 100 of them: fetched and sorted.
      const few = await costOf({ ...scope, filter: greater(0.999), sort });
      expect(few.plan).toBe('gather');
      expect(few.probedRows + few.visitedRows).toBeLessThan(600);
      // In between, nothing is worse than this.
      for (const value of [0.9, 0.97, 0.98, 0.985]) {
        const middle = await costOf({ ...scope, filter: greater(value), sort });
        expect(middle.found).toBe(100);
        expect(middle.probedRows + middle.visitedRows).toBeLessThan(8_000);
      }
      // The most selective condition leads.
      const both = await costOf({
        ...scope,
        filter: { op: 'and', filters: [greater(0.1), { op: 'eq', path: ['index'], value: 7 }] },
        sort,
      });
      expect(both.visitedRows).toBeLessThan(10);
      const first = await costOf({
        ...scope,
        filter: {
          op: 'and',
          filters: [
            { op: 'eq', path: ['index'], value: 7 },
            { op: 'gt', path: ['metrics', 'loss'], value: 0.999 },
            greater(0),
          ],
        },
      }).catch(() => costs.at(-1)!);
      expect(first.visitedRows).toBeLessThan(10);
    }
    // The filter's own field as the sort: the index begins where the filter does.
    const same = await costOf({ filter: greater(0.5), sort: { path: auc, direction: 'asc' } });
    expect(same).toMatchObject({ plan: 'walk', visitedRows: 100 });
    // A partition among others costs what it has, not what they have.
    const other = await costOf({ partition: 'other', sort: { path: ['index'], direction: 'desc' } });
    expect(other).toMatchObject({ found: 100, visitedRows: 100 });
    // The unluckiest query: what fits comes last in the sort. The page ends early, and the next one goes on.
    const query: DocumentQuery = {
      container,
      filter: { op: 'not', filter: { op: 'lte', path: ['index'], value: 90_000 } },
      sort: { path: ['index'], direction: 'asc' },
      limit: 100,
    };
    const empty = await store.list(query);
    expect(costs.at(-1)!.visitedRows).toBe(defaultBudget.visitedDocuments);
    expect(empty.documents).toEqual([]);
    let { cursor } = empty;
    for (let pages = 0; pages < 8; pages += 1) ({ cursor } = await store.list({ ...query, cursor: cursor! }));
    const { documents } = await store.list({ ...query, cursor: cursor! });
    expect(documents.map(({ body }) => body['index'])).toEqual(
      Array.from({ length: 100 }, (_, index) => 90_001 + index),
    );
  }, 180_000);

  it('a page holds a few megabytes at most, however many documents fit the limit', async () => {
    const { store } = await open();
    for (let index = 0; index < 6; index += 1)
      await store.create(
        { container, partition: 'p', id: `d${index}` },
        { n: index, text: 'x'.repeat(1_500_000) },
      );
    for (const query of [
      { container, limit: 100 },
      { container, limit: 100, sort: { path: ['n'], direction: 'desc' } },
      {
        container,
        limit: 100,
        filter: { op: 'gte', path: ['n'], value: 0 },
        sort: { path: ['n'], direction: 'asc' },
      },
    ] as const) {
      expect((await store.list(query)).documents).toHaveLength(3);
      expect(await readAll(store, query)).toHaveLength(6);
    }
  });

  it('an update of one field changes one row of the index', async () => {
    const { store, file } = await open();
    const body = { a: 1, b: 'x', c: { d: true }, points: { x: [1, 2], y: 1 }, list: [1, { z: 1 }] };
    await store.create(key, body);
    const database = new DatabaseSync(file);
    const paths = database.prepare('SELECT path FROM paths ORDER BY path').all();
    expect(paths.map((row) => row['path'])).toEqual(['"a"', '"b"', '"c"."d"']);
    database.exec(`CREATE TABLE changes (what TEXT);
      CREATE TRIGGER inserted AFTER INSERT ON fields BEGIN INSERT INTO changes VALUES ('+' || new.value); END;
      CREATE TRIGGER deleted AFTER DELETE ON fields BEGIN INSERT INTO changes VALUES ('-' || old.value); END;`);
    await store.upsert(key, { ...body, b: 'y', points: { x: [3], y: 2 } });
    expect(
      database
        .prepare('SELECT what FROM changes')
        .all()
        .map((row) => row['what']),
    ).toEqual(['-x', '+y']);
    await store.delete(key);
    expect(database.prepare('SELECT count(*) AS n FROM fields').get()).toEqual({ n: 0 });
    expect(database.prepare('SELECT count(*) AS n FROM partitions').get()).toEqual({ n: 0 });
    database.close();
  });

  it('what a failed batch has learnt of the index is forgotten', async () => {
    const { store } = await open();
    await store.create(key, { known: 1 });
    await expectError(
      store.batch(container, 'p', [
        { kind: 'create', id: 'x', body: { x: 1 } },
        { kind: 'create', id: 'one', body: {} },
      ]),
      'ALREADY_EXISTS',
    );
    await store.create({ ...key, id: 'y' }, { y: 1 });
    await store.create({ ...key, id: 'x' }, { x: 1 });
    for (const name of ['x', 'y']) {
      const { documents } = await store.list({
        container,
        limit: 5,
        sort: { path: [name], direction: 'asc' },
      });
      expect(documents.map(({ id }) => id)).toEqual([name]);
    }
  });

  it('expired documents are swept away by later writes', async () => {
    const fixture = await open();
    const { store, file } = fixture;
    for (let index = 0; index < 10; index += 1)
      await store.create({ container, partition: `p${index}`, id: 'd' }, { index }, { ttlSeconds: 60 });
    await fixture.passTime(60_000);
    for (let index = 0; index < 4; index += 1) await store.upsert(key, { index });
    const database = new DatabaseSync(file, { readOnly: true });
    for (const table of ['documents', 'partitions', 'fields'])
      expect({ table, ...database.prepare(`SELECT count(*) AS n FROM ${table}`).get() }).toEqual({
        table,
        n: 1,
      });
    database.close();
  });
});

describe('SQLite documents: faults', () => {
  it('fail on purpose, with a retry time', async () => {
    let failures = 2;
    const fail = () => (failures-- > 0 ? rateLimited(250) : undefined);
    const { store } = await open({ faults: { fail } });
    const error = await expectError(store.create(key, { v: 1 }), 'RATE_LIMITED');
    expect(error.details).toEqual({ retryAfterMs: 250 });
    await expectError(store.get(key), 'RATE_LIMITED');
    expect(await store.get(key)).toBeUndefined();
  });

  it('make pages short and empty on purpose', async () => {
    const sizes = [0, 2, 0, 1, 0];
    const { store } = await open({ faults: { shortenPage: () => sizes.shift() } });
    await fill(store, 'p', 5);
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
    const { store } = await open({ maxSizeBytes: 400_000 });
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

  it("another writer's lock is RATE_LIMITED, and readers do not mind it", async () => {
    const { store, file } = await open({ busyTimeoutMs: 20 });
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

  it('a file that is no database, of another version or damaged is UNAVAILABLE, never empty', async () => {
    const { file, store } = await open();
    const directory = join(file, '..');
    const attempt = (path: string) =>
      failureOf((async () => openSqliteDocuments({ file: path, clock: systemClock, ids: systemIds }))());
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
    await fill(store, 'p', 500);
    await store.close();
    // The schema is still whole; what follows it is not.
    const { size } = await stat(file);
    const handle = await openFile(file, 'r+');
    await handle.write(Buffer.alloc(size - 60_000, 0xff), 0, size - 60_000, 60_000);
    await handle.close();
    const damaged = openSqliteDocuments({ file, clock: systemClock, ids: systemIds });
    await expectError(readAll(damaged, { container, limit: 1_000 }), 'UNAVAILABLE');
    await damaged.close();
  });

  it('a closed store is UNAVAILABLE', async () => {
    const { store } = await open();
    await store.close();
    await expectError(store.get(key), 'UNAVAILABLE');
    await expectError(store.upsert(key, {}), 'UNAVAILABLE');
    await expectError(store.list({ container, limit: 1 }), 'UNAVAILABLE');
    await expectError(store.ping(), 'UNAVAILABLE');
    await expect(store.close()).resolves.toBeUndefined();
  });
});

describe('SQLite documents: several processes', () => {
  const program = fileURLToPath(new URL('../support/document-writer.ts', import.meta.url));
  const start = async (...args: readonly string[]) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the writer ended: ${String(code)}`))),
    ]);
    return child;
  };

  it('lose no update of 32 writers in two processes', async () => {
    const { store, file } = await open();
    const counter = { container: 'shared', partition: 'p', id: 'counter' };
    await store.create(counter, { count: 0, writers: [] });
    const numbers = Array.from({ length: 32 }, (_, index) => String(index));
    const children = await Promise.all([
      start(file, 'writers', ...numbers.slice(0, 16)),
      start(file, 'writers', ...numbers.slice(16)),
    ]);
    for (const child of children) if (child.exitCode === null) await once(child, 'exit');
    expect(children.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const { count, writers } = (await store.get(counter))!.body as { count: number; writers: number[] };
    expect(count).toBe(32);
    expect(new Set(writers).size).toBe(32);
  });

  it('may all be the first to open a file', async () => {
    const { file } = await open();
    const fresh = join(file, '..', 'fresh', 'new.db');
    const children = await Promise.all([1, 2, 3].map(() => start(fresh, 'writers')));
    for (const child of children) if (child.exitCode === null) await once(child, 'exit');
    expect(children.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  });

  it('may be killed at any moment: every batch is there whole, or not at all', async () => {
    const { store, file } = await open();
    await store.create(key, {});
    let before = 0;
    for (let round = 0; round < 8; round += 1) {
      const child = await start(file, 'batches');
      await sleep(20 + round * 17);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const survivor = openSqliteDocuments({ file, clock: systemClock, ids: systemIds });
      const documents = await readAll(survivor, { container: 'killed', limit: 1_000 });
      const batches = Map.groupBy(documents, ({ body }) => body['batch']);
      expect(new Set(Array.from(batches.values(), (members) => members.length))).toEqual(new Set([20]));
      // The index holds the same documents.
      const indexed = await readAll(survivor, {
        container: 'killed',
        sort: { path: ['index'], direction: 'asc' },
        limit: 1_000,
      });
      expect(indexed).toHaveLength(documents.length);
      // And what was there before the kill still is.
      expect(documents.length).toBeGreaterThanOrEqual(before);
      before = documents.length;
      await survivor.close();
    }
    expect(before).toBeGreaterThan(0);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  }, 60_000);
});
