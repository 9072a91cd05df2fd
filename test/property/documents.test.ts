import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../shared/core/json/json.ts';
import type { DocumentQuery, Filter, MetadataStore, Sort } from '../../shared/platform/storage/documents.ts';
import type { DocumentsFixture } from '../contract/documents/fixture.ts';
import { readAll } from '../contract/documents/fixture.ts';
import {
  bodies,
  compareScalars,
  filters,
  evaluate,
  scalars,
  sortField,
  sorts,
} from '../support/documents/model.ts';
import { openCosmosFixture, openSqliteFixture } from '../support/documents/stores.ts';

interface Target {
  readonly name: string;
  readonly runs: number;
  readonly open: () => Promise<DocumentsFixture>;
  /** Shortens the next pages as the service may. */
  readonly shorten: (items: number) => void;
}

let shortest = 1_000;
const shortenPage = () => shortest;
const shortenSqlite = (items: number) => {
  shortest = items;
};
let server: { pageItems: number | undefined } | undefined;

const targets: readonly Target[] = [
  {
    name: 'SQLite',
    runs: 200,
    open: () => openSqliteFixture({ faults: { shortenPage } }),
    shorten: shortenSqlite,
  },
  {
    name: 'SQLite that walks the sort index and stops early',
    runs: 200,
    open: () =>
      openSqliteFixture({ faults: { shortenPage }, budget: { gatheredDocuments: 1, visitedDocuments: 3 } }),
    shorten: shortenSqlite,
  },
  {
    name: 'SQLite that asks its other indexes at once',
    runs: 800,
    open: () => openSqliteFixture({ budget: { gatheredDocuments: 0, sampledDocuments: 1, walkedRows: 4 } }),
    shorten: () => {},
  },
  {
    name: 'SQLite that fetches what its indexes agree on',
    runs: 800,
    open: () =>
      openSqliteFixture({ budget: { gatheredDocuments: 3, sampledDocuments: 1, visitedDocuments: 5 } }),
    shorten: () => {},
  },
  {
    name: 'Cosmos DB adapter',
    runs: 25,
    open: async () => {
      const fixture = await openCosmosFixture({ physicalPartitions: 2 });
      ({ server } = fixture);
      return fixture;
    },
    shorten: (items) => {
      server!.pageItems = items;
    },
  },
];

describe.each(targets)('documents of $name', ({ runs, open, shorten }) => {
  let fixture: DocumentsFixture;
  beforeAll(async () => {
    fixture = await open();
  });
  afterAll(() => fixture?.dispose());

  const documents = fc.array(fc.tuple(bodies, fc.integer({ min: 0, max: 2 })), {
    minLength: 4,
    maxLength: 16,
  });
  const queries = fc
    .record(
      {
        filter: fc.option(filters, { nil: undefined, freq: 8 }),
        sort: sorts,
        partition: fc.integer({ min: 0, max: 2 }),
        limit: fc.integer({ min: 1, max: 6 }),
        short: fc.integer({ min: 1, max: 6 }),
        bound: fc.record({ test: fc.constantFrom('lt', 'gte', 'ne'), value: scalars }),
        isNegated: fc.boolean(),
      },
      { requiredKeys: ['filter', 'limit', 'short'] },
    )
    // Often the filter and the sort use the same field.
    .map(({ bound, isNegated, ...query }) => {
      if (bound === undefined || query.sort === undefined) return query;
      const filter: Filter = { op: 'compare', ...bound, path: query.sort.path };
      return { ...query, filter: isNegated === true ? ({ op: 'not', filter } as const) : filter };
    });

  it('are found, sorted and paged as in the model', async () => {
    const { store, container } = fixture;
    let selected = 0;
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.array(queries, { minLength: 1, maxLength: 5 }),
        async (written, asked) => {
          const run = crypto.randomUUID();
          const stored = await writeAll(store, container, run, written);
          for (const { filter, sort, partition, limit, short } of asked) {
            shorten(short);
            const query: DocumentQuery = {
              container,
              limit,
              ...(sort === undefined ? {} : { sort }),
              ...(partition === undefined
                ? { filter: within(run, filter) }
                : { partition: `${run}/${partition}`, ...(filter === undefined ? {} : { filter }) }),
            };
            const found = await readAll(store, query);
            const expected = stored.filter(
              (document) => partition === undefined || document.partition === `${run}/${partition}`,
            );
            compare(found, expected, filter, sort);
            if (found.length > 0 && found.length < expected.length) selected += 1;
          }
          for (const { partition, id } of stored) await store.delete({ container, partition, id });
        },
      ),
      { numRuns: runs },
    );
    // Not all queries find everything or nothing.
    expect(selected).toBeGreaterThan(0);
  });
});

interface Plain {
  readonly partition: string;
  readonly id: string;
  readonly body: JsonObject;
}

/** Creates, changes and deletes, so that the indexes have a history. */
async function writeAll(
  store: MetadataStore,
  container: string,
  run: string,
  written: readonly (readonly [JsonObject, number])[],
): Promise<readonly Plain[]> {
  const stored: Plain[] = [];
  for (const [index, [body, part]] of written.entries()) {
    const key = { container, partition: `${run}/${part}`, id: `d${Math.floor(index / 3)}` };
    const earlier = stored.findIndex(({ partition, id }) => partition === key.partition && id === key.id);
    if (earlier >= 0) stored.splice(earlier, 1);
    if (earlier >= 0 && index % 2 === 0) {
      await store.delete(key);
      continue;
    }
    await store.upsert(key, { ...body, run });
    stored.push({ partition: key.partition, id: key.id, body: { ...body, run } });
  }
  return stored;
}

function within(run: string, filter: Filter | undefined): Filter {
  const own: Filter = { op: 'compare', test: 'eq', path: ['run'], value: run };
  return filter === undefined ? own : { op: 'and', filters: [filter, own] };
}

function compare(
  found: readonly Plain[],
  stored: readonly Plain[],
  filter: Filter | undefined,
  sort: Sort | undefined,
): void {
  const expected = stored.filter(
    ({ body }) =>
      (filter === undefined || evaluate(filter, body) === 'true') &&
      (sort === undefined || sortField(body, sort) !== undefined),
  );
  const keys = (documents: readonly Plain[]) =>
    documents.map(({ partition, id, body }) => `${partition} ${id} ${JSON.stringify(body)}`).toSorted();
  expect(keys(found)).toEqual(keys(expected));
  if (sort === undefined) return;
  const sign = sort.direction === 'asc' ? 1 : -1;
  const values = (documents: readonly Plain[]) => documents.map(({ body }) => sortField(body, sort)!);
  expect(values(found)).toEqual(values(expected).toSorted((a, b) => sign * compareScalars(a, b)));
}
