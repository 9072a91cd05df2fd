import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAppError } from '../../shared/core/errors.ts';
import { parseFilter } from '../../shared/platform/search/parse-filter.ts';
import { parseOrder } from '../../shared/platform/search/parse-order.ts';
import type { SearchRequest } from '../../shared/platform/search/search.ts';
import { searchDocuments } from '../../shared/platform/search/search.ts';
import type { MetadataStore } from '../../shared/platform/storage/documents.ts';
import { runSubject } from '../../shared/domains/tracking/subjects/runs.ts';
import { runNames } from '../../shared/api/mlflow/search-names.ts';
import { withNames } from '../../shared/platform/search/subject.ts';
import type { DocumentsFixture } from '../contract/documents/fixture.ts';
import { openCosmosFixture, openSqliteFixture } from '../support/documents/stores.ts';
import {
  judgeWish,
  orders,
  print,
  runs,
  sortPlainly,
  toDocument,
  wishes,
} from '../support/tracking/search-model.ts';

const subject = withNames(runSubject, runNames);

interface Target {
  readonly name: string;
  readonly numRuns: number;
  readonly open: () => Promise<DocumentsFixture>;
  /** The test server also matches members that every JavaScript object inherits. */
  readonly skipProto?: true;
}

const targets: readonly Target[] = [
  { name: 'SQLite', numRuns: 160, open: () => openSqliteFixture() },
  {
    name: 'SQLite with short pages',
    numRuns: 80,
    open: () =>
      openSqliteFixture({
        faults: { shortenPage: () => 2 },
        budget: { gatheredDocuments: 1, visitedDocuments: 3 },
      }),
  },
  {
    name: 'SQLite that asks its other indexes at once',
    numRuns: 80,
    open: () => openSqliteFixture({ budget: { gatheredDocuments: 0, sampledDocuments: 1, walkedRows: 4 } }),
  },
  {
    name: 'Cosmos DB adapter',
    numRuns: 12,
    skipProto: true,
    open: () => openCosmosFixture({ physicalPartitions: 2 }),
  },
];

describe.each(targets)('a search of $name', ({ open, numRuns, skipProto = false }) => {
  const isMeant = (text: string) => !skipProto || !text.includes('__proto__');
  const ownWishes = wishes.filter((wish) => isMeant(print(wish)));
  const ownOrders = orders.filter((order) => order.every(({ text }) => isMeant(text)));
  let fixture: DocumentsFixture;
  beforeAll(async () => {
    fixture = await open();
  });
  afterAll(() => fixture?.dispose());

  const requestOf = (partition: string, rest: Partial<SearchRequest>): SearchRequest => ({
    container: fixture.container,
    partition,
    scope: { op: 'compare', test: 'eq', path: ['kind'], value: 'run' },
    subject,
    limit: 10,
    ...rest,
  });

  it('finds what a plain evaluator selects, in the order of a plain sort, once each', async () => {
    const { store, container } = fixture;
    let telling = 0;
    await fc.assert(
      fc.asyncProperty(
        runs,
        fc.array(fc.tuple(fc.option(ownWishes, { freq: 8 }), ownOrders, fc.integer({ min: 1, max: 9 })), {
          minLength: 1,
          maxLength: 6,
        }),
        async (all, queries) => {
          const partition = crypto.randomUUID();
          await store.batch(
            container,
            partition,
            all.map((run) => ({ kind: 'create', id: run.runId, body: toDocument(run) })),
          );
          for (const [wish, order, limit] of queries) {
            const selected = all.filter((run) => wish === null || judgeWish(wish, run) === true);
            const found = await collect(
              store,
              requestOf(partition, {
                limit,
                orderBy: order.map(({ text }) => text),
                ...(wish === null ? {} : { filter: print(wish) }),
              }),
            );
            expect(found, wish === null ? '' : print(wish)).toEqual(
              sortPlainly(selected, order).map(({ runId }) => runId),
            );
            if (selected.length > 0 && selected.length < all.length) telling += 1;
          }
        },
      ),
      { numRuns },
    );
    expect(telling).toBeGreaterThan(numRuns / 4);
  });

  it('shows stable documents exactly once while others change between pages', async () => {
    const { store, container } = fixture;
    await fc.assert(
      fc.asyncProperty(
        runs,
        runs,
        ownOrders,
        fc.integer({ min: 1, max: 4 }),
        fc.func(fc.boolean()),
        async (all, later, order, limit, leaves) => {
          const partition = crypto.randomUUID();
          const ops = all.map((run) => ({ kind: 'create' as const, id: run.runId, body: toDocument(run) }));
          await store.batch(container, partition, ops);
          const leaving = all.filter(({ runId }) => leaves(runId)).map(({ runId }) => runId);
          const coming = later.map((run) => ({ ...run, runId: `new-${run.runId}` }));
          const seen = await collect(
            store,
            requestOf(partition, { limit, orderBy: order.map(({ text }) => text) }),
            async () => {
              const gone = leaving.pop();
              if (gone !== undefined) await store.delete({ container, partition, id: gone });
              const come = coming.pop();
              if (come !== undefined)
                await store.create({ container, partition, id: come.runId }, toDocument(come));
            },
          );
          expect(new Set(seen).size).toBe(seen.length);
          const stayed = all.filter(({ runId }) => !leaves(runId));
          const ids = new Set(stayed.map(({ runId }) => runId));
          expect(seen.filter((id) => ids.has(id))).toEqual(
            sortPlainly(stayed, order).map(({ runId }) => runId),
          );
        },
      ),
      { numRuns: numRuns / 4 },
    );
  });
});

describe('a filter', () => {
  const fragments = fc.constantFrom(
    'metrics',
    'params.',
    'tags',
    '.',
    'm',
    "'a'",
    '"a"',
    '`a',
    '`',
    "'",
    '(',
    ')',
    ',',
    '1',
    '-1e5',
    '.5',
    '=',
    '!=',
    '<',
    '>=',
    '~',
    ' ',
    ' AND ',
    ' or ',
    ' NOT ',
    ' IN ',
    ' LIKE ',
    ' IS ',
    ' NULL ',
    'run_id',
    'datasets.name',
    '%',
    ';',
    '--',
    '\\',
    '\n',
    '\u0000',
    '\ud800',
    '🛫',
  );
  const nonsense = fc.oneof(
    fc.array(fragments, { maxLength: 14 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
    wishes.chain((wish) => {
      const text = print(wish);
      return fc
        .tuple(fc.nat(text.length), fragments)
        .map(([at, part]) => text.slice(0, at) + part + text.slice(at + 1));
    }),
  );

  it('of random text is parsed or INVALID_ARGUMENT', async () => {
    const fixture = await openSqliteFixture();
    let refused = 0;
    let taken = 0;
    try {
      await fc.assert(
        fc.asyncProperty(nonsense, fc.boolean(), async (text, isOrder) => {
          try {
            await searchDocuments(fixture.store, {
              container: 'x',
              scope: { op: 'compare', test: 'eq', path: ['kind'], value: 'run' },
              subject,
              limit: 5,
              ...(isOrder ? { orderBy: [text] } : { filter: text }),
            });
            taken += 1;
          } catch (error) {
            if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
            expect(error.message.length).toBeLessThan(1_000);
            refused += 1;
          }
        }),
        { numRuns: 5_000 },
      );
    } finally {
      await fixture.dispose();
    }
    expect(refused).toBeGreaterThan(500);
    expect(taken).toBeGreaterThan(100);
  });

  it('means the same with more parentheses and other spaces', () => {
    fc.assert(
      fc.property(wishes, (wish) => {
        const text = print(wish);
        const other = `\n ( (${text}) )\t`;
        expect(parseFilter(other, subject)).toEqual(parseFilter(text, subject));
      }),
      { numRuns: 500 },
    );
  });

  it('of any depth and length is parsed or refused, without a RangeError', () => {
    const deep = (depth: number) => `${'('.repeat(depth)}metrics.m > 1${')'.repeat(depth)}`;
    const not = (depth: number) => `${'NOT '.repeat(depth)}metrics.m > 1`;
    const long = (count: number) => Array.from({ length: count }, () => 'metrics.m > 1').join(' OR ');
    for (const make of [deep, not, long])
      for (const size of [1, 10, 25, 100, 1_000, 100_000]) {
        try {
          parseFilter(make(size), subject);
          expect(size).toBeLessThan(1_000);
        } catch (error) {
          expect(isAppError(error, 'INVALID_ARGUMENT')).toBe(true);
          expect(size).toBeGreaterThan(10);
        }
      }
    expect(() =>
      parseOrder(
        Array.from({ length: 11 }, (_, index) => `metrics.m${index}`),
        subject,
      ),
    ).toThrow(/at most 10/);
  });
});

async function collect(
  store: MetadataStore,
  request: SearchRequest,
  between: () => Promise<void> = async () => {},
): Promise<string[]> {
  const found: string[] = [];
  let pageToken: string | undefined;
  for (let pages = 0; pages < 2_000; pages += 1) {
    const page: Awaited<ReturnType<typeof searchDocuments>> = await searchDocuments(store, {
      ...request,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    expect(page.documents.length).toBeLessThanOrEqual(request.limit);
    found.push(...page.documents.map(({ id }) => id));
    ({ pageToken } = page);
    if (pageToken === undefined) return found;
    await between();
  }
  throw new Error('the pages never end');
}
