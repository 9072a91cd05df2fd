import { beforeAll, describe, expect, it } from 'vitest';
import { isAppError } from '../../../shared/core/errors.ts';
import type { DocumentQuery, Filter, Sort } from '../../../shared/platform/storage/documents.ts';
import type { ContractContext } from './fixture.ts';
import { expectError, readAll } from './fixture.ts';

/** Listings: pages, sorting, cursors. */
export function describePages(context: ContractContext): void {
  const { suite, store, container, newPartition, fill, idsOf } = context;
  describe('pages', () => {
    const everything: Filter = { op: 'compare', test: 'eq', path: ['suite'], value: `${suite} pages` };
    const mixed = [3, true, 'b', 1, null, 'a', false, 2, 'c', [9], { x: 1 }, -1, 1, 'a'];
    beforeAll(async () => {
      for (const [index, n] of mixed.entries())
        await store().create(
          { container: container(), partition: `${suite}/page${index % 5}`, id: `d${Math.floor(index / 5)}` },
          { suite: `${suite} pages`, n, index, same: 0 },
        );
    });
    const ascending = [false, true, -1, 1, 1, 2, 3, 'a', 'a', 'b', 'c'];

    it.each([1, 2, 3, 100])('of %d return every document once', async (limit) => {
      const documents = await readAll(store(), { container: container(), filter: everything, limit });
      const seen = documents.map(({ body }) => body['index'] as number).toSorted((a, b) => a - b);
      expect(seen).toEqual(mixed.map((_, index) => index));
    });

    const sorts: readonly (readonly [Sort['direction'], number])[] = [
      ['asc', 1],
      ['asc', 4],
      ['desc', 1],
      ['desc', 5],
      ['desc', 100],
    ];
    it.each(sorts)('sort %s, %d at a time, across types and partitions', async (direction, limit) => {
      const sort: Sort = { path: ['n'], direction };
      const documents = await readAll(store(), { container: container(), filter: everything, sort, limit });
      expect(documents.map(({ body }) => body['n'])).toEqual(
        direction === 'asc' ? ascending : ascending.toReversed(),
      );
      const within = await readAll(store(), {
        container: container(),
        partition: `${suite}/page1`,
        sort,
        limit,
      });
      expect(within.map(({ body }) => body['n'])).toEqual(
        direction === 'asc' ? [false, true, -1] : [-1, true, false],
      );
    });

    it.each([1, 3])('return documents with equal sort values once each, %d at a time', async (limit) => {
      const sort: Sort = { path: ['same'], direction: 'desc' };
      const documents = await readAll(store(), { container: container(), filter: everything, sort, limit });
      expect(new Set(documents.map(({ body }) => body['index'])).size).toBe(mixed.length);
      expect(documents).toHaveLength(mixed.length);
    });

    it('may change size from page to page', async () => {
      const query = {
        container: container(),
        filter: everything,
        sort: { path: ['index'], direction: 'asc' } as Sort,
      };
      const first = await store().list({ ...query, limit: 2 });
      const rest = await readAll(store(), { ...query, limit: 7, cursor: first.cursor! });
      expect([...first.documents, ...rest].map(({ body }) => body['index'])).toEqual(
        mixed.map((_, index) => index),
      );
    });

    it('continue only their own query', async () => {
      const query: DocumentQuery = { container: container(), filter: everything, limit: 1 };
      const { cursor } = await store().list(query);
      expect(cursor).toEqual(expect.any(String));
      const others: readonly Partial<DocumentQuery>[] = [
        { partition: `${suite}/page0` },
        { filter: { op: 'exists', path: ['n'] } },
        { sort: { path: ['n'], direction: 'asc' } },
      ];
      for (const other of others)
        await expectError(store().list({ ...query, ...other, cursor: cursor! }), 'INVALID_ARGUMENT');
      const changed = Buffer.from(cursor!, 'base64url').toString().replace(/.{9}$/s, '[{"x":1}]]');
      await expectError(
        store().list({ ...query, cursor: Buffer.from(changed).toString('base64url') }),
        'INVALID_ARGUMENT',
      );
    });

    it('return stable documents exactly once under concurrent changes', async () => {
      const partition = await fill(
        Object.fromEntries(
          Array.from({ length: 12 }, (_, index) => [`s${index}`, { n: index, stays: index % 2 }]),
        ),
      );
      const query: DocumentQuery = {
        container: container(),
        partition,
        sort: { path: ['n'], direction: 'asc' },
        limit: 3,
      };
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 20; page += 1) {
        const found = await store().list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...found.documents.map(({ id }) => id));
        ({ cursor } = found);
        if (cursor === undefined) break;
        await store().create({ container: container(), partition, id: `new${page}` }, { n: page - 10 });
        await store()
          .delete({ container: container(), partition, id: `s${page * 4}` })
          .catch(ignoreMissing);
      }
      expect(cursor).toBeUndefined();
      const stayed = seen.filter((id) => ['s1', 's3', 's5', 's7', 's9', 's11'].includes(id));
      expect(stayed).toEqual(['s1', 's3', 's5', 's7', 's9', 's11']);
    });

    it('are empty without documents', async () => {
      expect(await store().list({ container: container(), partition: newPartition(), limit: 5 })).toEqual({
        documents: [],
      });
      const filter: Filter = { op: 'compare', test: 'eq', path: ['suite', 'nowhere'], value: 1 };
      expect(await idsOf({ filter, sort: { path: ['never', 'written'], direction: 'asc' } })).toEqual([]);
    });
  });
}

function ignoreMissing(error: unknown): void {
  if (!isAppError(error, 'NOT_FOUND')) throw error;
}
