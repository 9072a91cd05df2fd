import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import {
  countRangeSql,
  scanDocumentsSql,
  scanFieldSql,
  scanRangeSql,
} from '../../shared/adapters/embedded/documents/index-scans.ts';
import type { FieldRange } from '../../shared/adapters/embedded/documents/ranges.ts';
import type { PageCost } from '../../shared/adapters/embedded/documents/pages.ts';
import { defaultBudget } from '../../shared/adapters/embedded/documents/pages.ts';
import type { DocumentQuery } from '../../shared/platform/storage/documents.ts';
import { createRuns } from '../support/documents/runs.ts';
import { openSqliteForTest } from '../support/documents/stores.ts';
import { expectError, readAll } from './documents/fixture.ts';

const container = 'tracking';
const key = { container, partition: 'p', id: 'one' };

describe('SQLite documents: cost', () => {
  const path = '"metrics"."auc"';
  const range: FieldRange = { path, type: 2, lower: { value: 0.5, inclusive: false } };
  const after = { value: 0.7, seq: 5 };

  it.each([
    ['a container', { container }],
    ['a partition', { container, partitionId: 1 }],
  ])('every query of %s is answered in the order of an index', async (_, scope) => {
    const { file } = await openSqliteForTest();
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
    // A SCAN reads a whole table (except in the subquery of a count); a TEMP B-TREE sorts.
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

  it('reads few rows for a page of 100 of 100,000 runs, filtered by one metric and sorted by another', async () => {
    const costs: PageCost[] = [];
    const { store } = await openSqliteForTest({ onPage: (cost) => costs.push(cost) });
    await createRuns(store, container, 'experiment', 100_000);
    await createRuns(store, container, 'other', 300);
    const costOf = async (query: Partial<DocumentQuery>) => {
      const page = await store.list({ container, limit: 100, ...query });
      expect(page.documents.length).toBeGreaterThan(0);
      return { ...costs.at(-1)!, found: page.documents.length };
    };
    const auc = ['metrics', 'auc'] as const;
    const sort = { path: ['metrics', 'loss'], direction: 'asc' } as const;
    const greater = (value: number) => ({ op: 'compare', test: 'gt', path: auc, value }) as const;
    for (const partition of ['experiment', undefined]) {
      const scope = partition === undefined ? {} : { partition };
      // About half of the runs: along the sort index, every second one matches.
      const half = await costOf({ ...scope, filter: greater(0.5), sort });
      expect(half).toMatchObject({ plan: 'walk', found: 100 });
      expect(half.probedRows).toBe(defaultBudget.gatheredDocuments + 1);
      expect(half.visitedRows).toBeLessThan(300);
      // About 100 of them: fetched and sorted.
      const few = await costOf({ ...scope, filter: greater(0.999), sort });
      expect(few.plan).toBe('gather');
      expect(few.probedRows + few.visitedRows).toBeLessThan(600);
      // The worst case between these two.
      for (const value of [0.9, 0.97, 0.98, 0.985]) {
        const middle = await costOf({ ...scope, filter: greater(value), sort });
        expect(middle.found).toBe(100);
        expect(middle.visitedRows).toBeLessThan(1_300);
        expect(middle.probedRows).toBeLessThan(15_000);
      }
      // Two conditions that half of the runs fulfil each, and hardly any run both: their indexes are read first.
      const rare = await costOf({
        ...scope,
        filter: {
          op: 'and',
          filters: [greater(0.5), { op: 'compare', test: 'lt', path: ['index'], value: 100 }, greater(0.6)],
        },
        sort,
      });
      expect(rare.visitedRows).toBeLessThan(500);
      const never = await costOf({
        ...scope,
        filter: {
          op: 'and',
          filters: [
            { op: 'compare', test: 'lt', path: ['index'], value: 50_100 },
            { op: 'compare', test: 'gte', path: ['index'], value: 50_000 },
            { op: 'compare', test: 'ne', path: ['status'], value: 'FAILED' },
            { op: 'not', filter: { op: 'match', how: 'contains', path: ['status'], value: 'ILE' } },
          ],
        },
        sort,
      });
      expect(never.visitedRows).toBeLessThan(500);
      // The most selective condition leads.
      const both = await costOf({
        ...scope,
        filter: {
          op: 'and',
          filters: [greater(0.1), { op: 'compare', test: 'eq', path: ['index'], value: 7 }],
        },
        sort,
      });
      expect(both.visitedRows).toBeLessThan(10);
      const first = await costOf({
        ...scope,
        filter: {
          op: 'and',
          filters: [
            { op: 'compare', test: 'eq', path: ['index'], value: 7 },
            { op: 'compare', test: 'gt', path: ['metrics', 'loss'], value: 0.999 },
            greater(0),
          ],
        },
      }).catch(() => costs.at(-1)!);
      expect(first.visitedRows).toBeLessThan(10);
    }
    // Sorted by the filtered field: the index scan starts at the filter's bound.
    const same = await costOf({ filter: greater(0.5), sort: { path: auc, direction: 'asc' } });
    expect(same).toMatchObject({ plan: 'walk', visitedRows: 100 });
    // The cost of a partition does not depend on the others.
    const other = await costOf({ partition: 'other', sort: { path: ['index'], direction: 'desc' } });
    expect(other).toMatchObject({ found: 100, visitedRows: 100 });
    // The worst query: the matches come last in the sort, and no index finds them. The page ends early, and the next
    // one continues.
    const query: DocumentQuery = {
      container,
      filter: {
        op: 'not',
        filter: { op: 'or', filters: [{ op: 'compare', test: 'lte', path: ['index'], value: 90_000 }] },
      },
      sort: { path: ['index'], direction: 'asc' },
      limit: 100,
    };
    const empty = await store.list(query);
    expect(costs.at(-1)!.visitedRows).toBe(defaultBudget.visitedDocuments + defaultBudget.sampledDocuments);
    expect(empty.documents).toEqual([]);
    let { documents, cursor } = empty;
    for (let pages = 0; documents.length === 0 && pages < 30; pages += 1)
      ({ documents, cursor } = await store.list({ ...query, cursor: cursor! }));
    expect(documents.map(({ body }) => body['index'])).toEqual(
      Array.from({ length: documents.length }, (_, index) => 90_001 + index),
    );
  });

  it('bounds a page to a few megabytes, whatever its limit', async () => {
    const { store } = await openSqliteForTest();
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
        filter: { op: 'compare', test: 'gte', path: ['n'], value: 0 },
        sort: { path: ['n'], direction: 'asc' },
      },
    ] as const) {
      expect((await store.list(query)).documents).toHaveLength(3);
      expect(await readAll(store, query)).toHaveLength(6);
    }
  });

  it('changes one index row for an update of one field', async () => {
    const { store, file } = await openSqliteForTest();
    const body = { a: 1, b: 'x', c: { d: true }, points: { x: [1, 2], y: 1 }, list: [1, { z: 1 }] };
    await store.create(key, body);
    const catchUp = () => store.list({ container, limit: 1 });
    await catchUp();
    const database = new DatabaseSync(file);
    const paths = database.prepare('SELECT path FROM paths ORDER BY path').all();
    expect(paths.map((row) => row['path'])).toEqual(['"a"', '"b"', '"c"."d"']);
    database.exec(`CREATE TABLE changes (what TEXT);
      CREATE TRIGGER inserted AFTER INSERT ON fields BEGIN INSERT INTO changes VALUES ('+' || new.value); END;
      CREATE TRIGGER deleted AFTER DELETE ON fields BEGIN INSERT INTO changes VALUES ('-' || old.value); END;`);
    await store.upsert(key, { ...body, b: 'y', points: { x: [3], y: 2 } });
    await catchUp();
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

  it('forgets what a failed batch learnt about the index', async () => {
    const { store } = await openSqliteForTest();
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

  it.each(['evaluated along the sort index', 'gathered'])(
    'an empty string does not end with a suffix: %s',
    async (how) => {
      const few = how === 'gathered' ? {} : { gatheredDocuments: 0, walkedRows: 4 };
      const { store } = await openSqliteForTest({ budget: { ...few, sampledDocuments: 1 } });
      for (const [index, a] of ['xb', 'b', '', 'ba', 'b', 'b', 'b', 'b', 'b'].entries())
        await store.create({ container, partition: 'p', id: `d${index}` }, { a, index });
      for (const sort of [undefined, { path: ['index'], direction: 'asc' }] as const) {
        const query: DocumentQuery = {
          container,
          filter: { op: 'not', filter: { op: 'match', how: 'endsWith', path: ['a'], value: 'b' } },
          limit: 10,
          ...(sort === undefined ? {} : { sort }),
        };
        expect((await readAll(store, query)).map(({ id }) => id)).toEqual(['d2', 'd3']);
      }
    },
  );

  it('deletes expired documents during later writes', async () => {
    const fixture = await openSqliteForTest();
    const { store, file } = fixture;
    for (let index = 0; index < 10; index += 1)
      await store.create({ container, partition: `p${index}`, id: 'd' }, { index }, { ttlSeconds: 60 });
    await fixture.passTime(60_000);
    for (let index = 0; index < 4; index += 1) await store.upsert(key, { index });
    await store.list({ container, limit: 1 });
    const database = new DatabaseSync(file, { readOnly: true });
    for (const table of ['documents', 'partitions', 'fields'])
      expect({ table, ...database.prepare(`SELECT count(*) AS n FROM ${table}`).get() }).toEqual({
        table,
        n: 1,
      });
    database.close();
  });

  it('deletes expired documents of another process', async () => {
    const fixture = await openSqliteForTest();
    const { store, file } = fixture;
    await store.upsert(key, {});
    await (await fixture.reopen()).create({ ...key, id: 'expires' }, {}, { ttlSeconds: 1 });
    await fixture.passTime(60_000);
    await store.upsert(key, {});
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare('SELECT count(*) AS n FROM documents').get()).toEqual({ n: 1 });
    database.close();
  });
});
