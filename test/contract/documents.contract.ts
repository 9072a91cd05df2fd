import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppError, ErrorCode } from '../../shared/core/errors.ts';
import { isAppError } from '../../shared/core/errors.ts';
import type { JsonObject } from '../../shared/core/json.ts';
import type {
  BatchOperation,
  DocumentKey,
  DocumentQuery,
  Filter,
  MetadataStore,
  Sort,
  StoredDocument,
} from '../../shared/storage/documents.ts';
import { addWriter } from '../support/document-counter.ts';

export interface DocumentsFixture {
  readonly store: MetadataStore;
  readonly container: string;
  /** Another client of the same documents. */
  reopen(): Promise<MetadataStore>;
  /** Lets time pass for the store. */
  passTime(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface DocumentsHarness {
  readonly name: string;
  /** Why the suite cannot run here. */
  readonly skip?: string;
  /** Why single tests cannot. */
  readonly skipTimeToLive?: string;
  readonly skipCodePoints?: string;
  open(): Promise<DocumentsFixture>;
}

/** What every adapter of `MetadataStore` must do. The container may hold other documents. */
export function describeDocumentsContract(harness: DocumentsHarness): void {
  const title = harness.skip === undefined ? harness.name : `${harness.name} (skipped: ${harness.skip})`;
  describe.skipIf(harness.skip !== undefined)(`MetadataStore: ${title}`, () => {
    let fixture: DocumentsFixture;
    let store: MetadataStore;
    let container: string;
    let partitions = 0;
    const suite = crypto.randomUUID();

    beforeAll(async () => {
      fixture = await harness.open();
      ({ store, container } = fixture);
    });
    afterAll(() => fixture?.dispose());

    const newPartition = () => `${suite}/${(partitions += 1)}`;
    const newKey = (id = 'one'): DocumentKey => ({ container, partition: newPartition(), id });
    const fill = async (bodies: Readonly<Record<string, JsonObject>>, partition = newPartition()) => {
      for (const [id, body] of Object.entries(bodies)) await store.create({ container, partition, id }, body);
      return partition;
    };
    const idsOf = async (query: Omit<DocumentQuery, 'container' | 'limit'>, limit = 100) =>
      (await readAll(store, { container, limit, ...query })).map(({ id }) => id);

    describe('single documents', () => {
      const body = {
        text: 'naïve ☃ 🛫 \u0000 "quoted" \\ \u2028 </script>',
        numbers: [0, -1.5, 1e300, 5e-324, 9007199254740991],
        nothing: null,
        yes: true,
        'odd name / "\\\u0000 .$': { '': [[], {}], nested: { id: 'inner', _x: 1, ttl: 2 } },
      };

      it('are read as they were written', async () => {
        const key = newKey();
        expect(await store.get(key)).toBeUndefined();
        const created = await store.create(key, body);
        expect(created).toEqual({ ...key, etag: expect.any(String) as string, body });
        expect(await store.get(key)).toEqual(created);
        expect(await (await fixture.reopen()).get(key)).toEqual(created);
      });

      it('are created once for an id, in each partition', async () => {
        const key = newKey();
        await store.create(key, { v: 1 });
        await expectError(store.create(key, { v: 2 }), 'ALREADY_EXISTS');
        await store.create({ ...key, partition: newPartition() }, { v: 3 });
        expect((await store.get(key))?.body).toEqual({ v: 1 });
      });

      it('are replaced whole, and only over the version that was read', async () => {
        const key = newKey();
        await expectError(store.replace(key, { v: 0 }, '"none"'), 'NOT_FOUND');
        const first = await store.create(key, { v: 1, gone: true });
        const second = await store.replace(key, { v: 2 }, first.etag);
        expect(second.etag).not.toBe(first.etag);
        await expectError(store.replace(key, { v: 3 }, first.etag), 'PRECONDITION_FAILED');
        expect(await store.get(key)).toEqual({ ...key, etag: second.etag, body: { v: 2 } });
      });

      it('are upserted whether they are there or not', async () => {
        const key = newKey();
        const first = await store.upsert(key, { v: 1, gone: true });
        const second = await store.upsert(key, { v: 1 });
        expect(second.etag).not.toBe(first.etag);
        expect(await store.get(key)).toEqual(second);
      });

      it('are deleted, if asked only in the version that was read', async () => {
        const key = newKey();
        await expectError(store.delete(key), 'NOT_FOUND');
        const first = await store.create(key, { v: 1 });
        const second = await store.upsert(key, { v: 2 });
        await expectError(store.delete(key, first.etag), 'PRECONDITION_FAILED');
        await store.delete(key, second.etag);
        expect(await store.get(key)).toBeUndefined();
        await store.create(key, { v: 3 });
        await store.delete(key);
        expect(await idsOf({ partition: key.partition })).toEqual([]);
      });

      it.each(['a b', '%2e%2e', '+&=;:@,!$', '日本語 🛫', "o'hara", '"q"', '...', 'x'.repeat(255)])(
        'may have the id %j',
        async (id) => {
          const key = newKey(id);
          const created = await store.create(key, { v: 1 });
          expect((await store.get(key))?.etag).toBe(created.etag);
          const replaced = await store.replace(key, { v: 2 }, created.etag);
          await store.batch(container, key.partition, [{ kind: 'delete', id, etag: replaced.etag }]);
          expect(await store.get(key)).toBeUndefined();
        },
      );

      it('may have almost 2 MB', async () => {
        const key = newKey();
        const large = { text: 'é'.repeat(999_900) };
        await store.create(key, large);
        expect((await store.get(key))?.body).toEqual(large);
      });

      it.skipIf(harness.skipTimeToLive !== undefined)(
        `disappear when their time is over${reason(harness.skipTimeToLive)}`,
        async () => {
          const key = newKey();
          const { partition } = key;
          await store.create(key, { v: 1 }, { ttlSeconds: 2 });
          await store.create({ ...key, id: 'renewed' }, { v: 1 }, { ttlSeconds: 2 });
          await store.batch(container, partition, [
            { kind: 'create', id: 'b', body: { v: 1 }, ttlSeconds: 2 },
          ]);
          await store.create({ ...key, id: 'kept' }, { v: 1 });
          expect((await store.get(key))?.body).toEqual({ v: 1 });
          await store.upsert({ ...key, id: 'renewed' }, { v: 2 });
          await fixture.passTime(2_000);
          expect(await store.get(key)).toBeUndefined();
          expect((await idsOf({ partition })).toSorted()).toEqual(['kept', 'renewed']);
          await expectError(store.delete(key), 'NOT_FOUND');
          await store.create(key, { v: 4 });
          expect((await store.get(key))?.body).toEqual({ v: 4 });
        },
      );

      it('lose no update of 32 writers at once', async () => {
        const key = newKey();
        await store.create(key, { count: 0, writers: [] });
        await Promise.all(Array.from({ length: 32 }, (_, writer) => addWriter(store, key, writer)));
        const { count, writers } = (await store.get(key))!.body as { count: number; writers: number[] };
        expect(count).toBe(32);
        expect(writers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, writer) => writer));
      });
    });

    describe('rules', () => {
      const bad: Readonly<Record<string, () => Promise<unknown>>> = {
        'an empty id': () => store.get(newKey('')),
        'a dot as id, which a URL resolves away': () => store.get(newKey('..')),
        'an id that ends with a space': () => store.create(newKey('a '), {}),
        'an id of 256 characters': () => store.create(newKey('x'.repeat(256)), {}),
        'a control character in an id': () => store.create(newKey('a\nb'), {}),
        'half a surrogate pair in an id': () => store.create(newKey('a\ud800'), {}),
        'an empty partition': () => store.create({ ...newKey(), partition: '' }, {}),
        'a partition of 1,001 characters': () =>
          store.create({ ...newKey(), partition: 'x'.repeat(1_001) }, {}),
        'the name id': () => store.create(newKey(), { id: 'x' }),
        'the name pk': () => store.upsert(newKey(), { pk: 'x' }),
        'the name ttl': () => store.upsert(newKey(), { ttl: 1 }),
        'a name with an underscore': () => store.create(newKey(), { _etag: 'x' }),
        NaN: () => store.create(newKey(), { a: [Number.NaN] }),
        'half a surrogate pair in a body': () => store.create(newKey(), { a: 'x\udfff' }),
        'a document over 2 MB': () => store.create(newKey(), { a: 'é'.repeat(1_000_001) }),
        'a document nested 200 deep': () => store.create(newKey(), { a: nest(200) }),
        'a lifetime of 0': () => store.create(newKey(), {}, { ttlSeconds: 0 }),
        'a lifetime of 1.5': () => store.create(newKey(), {}, { ttlSeconds: 1.5 }),
        'the ETag that matches all': () => store.replace(newKey(), {}, '*'),
        'no ETag': () => store.replace(newKey(), {}, ''),
        'an empty batch': () => store.batch(container, newPartition(), []),
        'a batch of 101': () => store.batch(container, newPartition(), creations(101)),
        'a batch over 2 MB': () => store.batch(container, newPartition(), creations(3, 'x'.repeat(700_000))),
        'a limit of 0': () => store.list({ container, limit: 0 }),
        'a limit of 1,001': () => store.list({ container, limit: 1_001 }),
        'a filter on the key': () =>
          store.list({ container, limit: 1, filter: { op: 'eq', path: ['pk'], value: 'x' } }),
        'a filter with NaN': () =>
          store.list({ container, limit: 1, filter: { op: 'lt', path: ['a'], value: Number.NaN } }),
        'a sort by what is not indexed': () =>
          store.list({ container, limit: 1, sort: { path: ['points', 'x'], direction: 'asc' } }),
        'a cursor that is none': () => store.list({ container, limit: 1, cursor: 'nonsense' }),
      };
      it.each(Object.keys(bad))('refuse %s', async (name) => {
        expect((await failureOf(bad[name]!())).code).toBe('INVALID_ARGUMENT');
      });

      it.each(['/', '\\', '?', '#'])('refuse %s in an id', async (character) => {
        expect((await failureOf(store.create(newKey(`a${character}b`), {}))).code).toBe('INVALID_ARGUMENT');
      });
    });

    describe('batches', () => {
      it('do everything, in order', async () => {
        const partition = newPartition();
        const key = (id: string) => ({ container, partition, id });
        const replaced = await store.create(key('replaced'), { v: 0 });
        const deleted = await store.create(key('deleted'), { v: 0 });
        await store.create(key('upserted'), { v: 0 });
        const etags = await store.batch(container, partition, [
          { kind: 'create', id: 'created', body: { v: 1 } },
          { kind: 'replace', id: 'replaced', body: { v: 2 }, etag: replaced.etag },
          { kind: 'delete', id: 'deleted', etag: deleted.etag },
          { kind: 'upsert', id: 'upserted', body: { v: 3 } },
        ]);
        expect(etags[2]).toBeUndefined();
        for (const [index, id, v] of [
          [0, 'created', 1],
          [1, 'replaced', 2],
          [3, 'upserted', 3],
        ] as const)
          expect(await store.get(key(id))).toEqual({ ...key(id), etag: etags[index], body: { v } });
        expect(await store.get(key('deleted'))).toBeUndefined();
      });

      it('take 100 operations', async () => {
        const partition = newPartition();
        expect(new Set(await store.batch(container, partition, creations(100))).size).toBe(100);
        expect(await idsOf({ partition })).toHaveLength(100);
      });

      const failing: readonly (readonly [BatchOperation, ErrorCode])[] = [
        [{ kind: 'create', id: 'there', body: {} }, 'ALREADY_EXISTS'],
        [{ kind: 'replace', id: 'there', body: {}, etag: '"stale"' }, 'PRECONDITION_FAILED'],
        [{ kind: 'replace', id: 'missing', body: {}, etag: '"any"' }, 'NOT_FOUND'],
        [{ kind: 'delete', id: 'there', etag: '"stale"' }, 'PRECONDITION_FAILED'],
        [{ kind: 'delete', id: 'missing' }, 'NOT_FOUND'],
        [{ kind: 'create', id: 'new', body: {} }, 'ALREADY_EXISTS'],
        [{ kind: 'create', id: 'bad', body: { _x: 1 } }, 'INVALID_ARGUMENT'],
      ];
      it.each(failing)('do nothing when one fails: %j', async (operation, code) => {
        const partition = await fill({ there: { v: 0 }, other: { v: 0 } });
        const error = await expectError(
          store.batch(container, partition, [
            { kind: 'upsert', id: 'other', body: { v: 1 } },
            { kind: 'create', id: 'new', body: { v: 1 } },
            operation,
            { kind: 'create', id: 'after', body: {} },
          ]),
          code,
        );
        expect(error.details['operation']).toBe(2);
        const documents = await readAll(store, { container, partition, limit: 10 });
        expect(Object.fromEntries(documents.map(({ id, body }) => [id, body]))).toEqual({
          other: { v: 0 },
          there: { v: 0 },
        });
      });
    });

    describe('filters', () => {
      const bodies = {
        number: { f: 1 },
        text: { f: 'b' },
        yes: { f: true },
        no: { f: false },
        null: { f: null },
        list: { f: [1, 'b'] },
        object: { f: { g: 1 } },
        missing: {},
      };
      const path = ['f'] as const;
      const cases: readonly (readonly [string, Filter, string])[] = [
        ['eq number', { op: 'eq', path, value: 1 }, 'number'],
        ['eq of another type', { op: 'eq', path, value: '1' }, ''],
        ['ne number', { op: 'ne', path, value: 2 }, 'number'],
        ['not eq leaves the unknown out', { op: 'not', filter: { op: 'eq', path, value: 2 } }, 'number'],
        ['not ne', { op: 'not', filter: { op: 'ne', path, value: 'b' } }, 'text'],
        ['lt', { op: 'lt', path, value: 2 }, 'number'],
        ['not lt', { op: 'not', filter: { op: 'lt', path, value: 1 } }, 'number'],
        ['gte text', { op: 'gte', path, value: 'a' }, 'text'],
        ['lt true', { op: 'lt', path, value: true }, 'no'],
        ['gte false', { op: 'gte', path, value: false }, 'no yes'],
        ['in, of all types', { op: 'in', path, values: [1, 'b', false, 'z'] }, 'no number text'],
        ['in nothing', { op: 'in', path, values: [] }, ''],
        ['not in', { op: 'not', filter: { op: 'in', path, values: ['a', 'c'] } }, 'text'],
        [
          'not in, of two types: never false',
          { op: 'not', filter: { op: 'in', path, values: ['a', 2] } },
          '',
        ],
        ['exists', { op: 'exists', path }, 'list no number object text yes'],
        ['not exists', { op: 'not', filter: { op: 'exists', path } }, 'missing null'],
        ['a member', { op: 'eq', path: ['f', 'g'], value: 1 }, 'object'],
        ['a member of none', { op: 'ne', path: ['f', 'h'], value: 1 }, ''],
        ['startsWith', { op: 'startsWith', path, value: 'b' }, 'text'],
        ['not contains', { op: 'not', filter: { op: 'contains', path, value: 'x' } }, 'text'],
        ['endsWith nothing', { op: 'endsWith', path, value: '' }, 'text'],
        ['and of nothing', { op: 'and', filters: [] }, Object.keys(bodies).toSorted().join(' ')],
        ['or of nothing', { op: 'or', filters: [] }, ''],
        [
          'unknown or true',
          {
            op: 'or',
            filters: [
              { op: 'gt', path, value: 0 },
              { op: 'not', filter: { op: 'exists', path } },
            ],
          },
          'missing null number',
        ],
        [
          'not (false and unknown)',
          {
            op: 'not',
            filter: {
              op: 'and',
              filters: [
                { op: 'exists', path: ['nowhere'] },
                { op: 'eq', path, value: 5 },
              ],
            },
          },
          Object.keys(bodies).toSorted().join(' '),
        ],
        ['an unindexed field', { op: 'eq', path: ['points', 'x'], value: 1 }, ''],
      ];
      let partition: string;
      beforeAll(async () => {
        partition = await fill(bodies);
      });

      it.each(cases)('%s', async (_, filter, expected) => {
        const ids = await idsOf({ partition, filter });
        expect(ids.toSorted().join(' ')).toBe(expected);
      });

      it('reach members with any name, and let no name or value out of its quotes', async () => {
        const name = `a"] = 1 OR true OR c["b\\' @p0 -- /*`;
        const odd = await fill({ hit: { [name]: { [name]: name } }, miss: { [name]: { [name]: 'x' } } });
        const filter: Filter = { op: 'eq', path: [name, name], value: name };
        expect(await idsOf({ partition: odd, filter })).toEqual(['hit']);
        expect(await idsOf({ partition: odd, sort: { path: [name, name], direction: 'desc' } })).toEqual([
          'miss',
          'hit',
        ]);
      });

      it('compare long strings to their end', async () => {
        const long = 'x'.repeat(5_000);
        const many = await fill({
          a: { s: `${long}a` },
          b: { s: `${long}b` },
          c: { s: long },
          d: { s: 'x' },
        });
        const find = (op: 'eq' | 'lt' | 'gt' | 'startsWith', value: string) =>
          idsOf({ partition: many, filter: { op, path: ['s'], value } }).then((ids) =>
            ids.toSorted().join(' '),
          );
        expect(await find('eq', `${long}a`)).toBe('a');
        expect(await find('gt', `${long}a`)).toBe('b');
        expect(await find('lt', `${long}a`)).toBe('c d');
        expect(await find('gt', long)).toBe('a b');
        expect(await find('startsWith', long)).toBe('a b c');
      });

      it.skipIf(harness.skipCodePoints !== undefined)(
        `compare strings by code point${reason(harness.skipCodePoints)}`,
        async () => {
          // In UTF-16 the last two would change places.
          const order = ['', 'A', 'a', 'é', '\ud7ff', '\uff5e', '🛫'];
          const texts = await fill(Object.fromEntries(order.map((s, index) => [`d${index}`, { s }])));
          const sorted = await readAll(store, {
            container,
            partition: texts,
            limit: 3,
            sort: { path: ['s'], direction: 'asc' },
          });
          expect(sorted.map(({ body }) => body['s'])).toEqual(order);
          const filter: Filter = { op: 'gt', path: ['s'], value: '\uff5e' };
          expect(await idsOf({ partition: texts, filter })).toEqual(['d6']);
        },
      );
    });

    describe('pages', () => {
      const everything: Filter = { op: 'eq', path: ['suite'], value: `${suite} pages` };
      const mixed = [3, true, 'b', 1, null, 'a', false, 2, 'c', [9], { x: 1 }, -1, 1, 'a'];
      beforeAll(async () => {
        for (const [index, n] of mixed.entries())
          await store.create(
            { container, partition: `${suite}/page${index % 5}`, id: `d${Math.floor(index / 5)}` },
            { suite: `${suite} pages`, n, index, same: 0 },
          );
      });
      const ascending = [false, true, -1, 1, 1, 2, 3, 'a', 'a', 'b', 'c'];

      it.each([1, 2, 3, 100])('of %d hold every document once', async (limit) => {
        const documents = await readAll(store, { container, filter: everything, limit });
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
        const documents = await readAll(store, { container, filter: everything, sort, limit });
        expect(documents.map(({ body }) => body['n'])).toEqual(
          direction === 'asc' ? ascending : ascending.toReversed(),
        );
        const within = await readAll(store, { container, partition: `${suite}/page1`, sort, limit });
        expect(within.map(({ body }) => body['n'])).toEqual(
          direction === 'asc' ? [false, true, -1] : [-1, true, false],
        );
      });

      it.each([1, 3])('keep equal values apart, %d at a time', async (limit) => {
        const sort: Sort = { path: ['same'], direction: 'desc' };
        const documents = await readAll(store, { container, filter: everything, sort, limit });
        expect(new Set(documents.map(({ body }) => body['index'])).size).toBe(mixed.length);
        expect(documents).toHaveLength(mixed.length);
      });

      it('may change their size between one and the next', async () => {
        const query = { container, filter: everything, sort: { path: ['index'], direction: 'asc' } as Sort };
        const first = await store.list({ ...query, limit: 2 });
        const rest = await readAll(store, { ...query, limit: 7, cursor: first.cursor! });
        expect([...first.documents, ...rest].map(({ body }) => body['index'])).toEqual(
          mixed.map((_, index) => index),
        );
      });

      it('go on only in their own query', async () => {
        const query: DocumentQuery = { container, filter: everything, limit: 1 };
        const { cursor } = await store.list(query);
        expect(cursor).toEqual(expect.any(String));
        const others: readonly Partial<DocumentQuery>[] = [
          { partition: `${suite}/page0` },
          { filter: { op: 'exists', path: ['n'] } },
          { sort: { path: ['n'], direction: 'asc' } },
        ];
        for (const other of others)
          await expectError(store.list({ ...query, ...other, cursor: cursor! }), 'INVALID_ARGUMENT');
        const changed = Buffer.from(cursor!, 'base64url').toString().replace(/.{9}$/s, '[{"x":1}]]');
        await expectError(
          store.list({ ...query, cursor: Buffer.from(changed).toString('base64url') }),
          'INVALID_ARGUMENT',
        );
      });

      it('show what stays exactly once while other documents come and go', async () => {
        const partition = await fill(
          Object.fromEntries(
            Array.from({ length: 12 }, (_, index) => [`s${index}`, { n: index, stays: index % 2 }]),
          ),
        );
        const query: DocumentQuery = {
          container,
          partition,
          sort: { path: ['n'], direction: 'asc' },
          limit: 3,
        };
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let page = 0; page < 20; page += 1) {
          const found = await store.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
          seen.push(...found.documents.map(({ id }) => id));
          ({ cursor } = found);
          if (cursor === undefined) break;
          await store.create({ container, partition, id: `new${page}` }, { n: page - 10 });
          await store.delete({ container, partition, id: `s${page * 4}` }).catch(ignoreMissing);
        }
        expect(cursor).toBeUndefined();
        const stayed = seen.filter((id) => ['s1', 's3', 's5', 's7', 's9', 's11'].includes(id));
        expect(stayed).toEqual(['s1', 's3', 's5', 's7', 's9', 's11']);
      });

      it('are empty where there is nothing', async () => {
        expect(await store.list({ container, partition: newPartition(), limit: 5 })).toEqual({
          documents: [],
        });
        const filter: Filter = { op: 'eq', path: ['suite', 'nowhere'], value: 1 };
        expect(await idsOf({ filter, sort: { path: ['never', 'written'], direction: 'asc' } })).toEqual([]);
      });
    });

    it('says that it is alive', () => expect(store.ping()).resolves.toBeUndefined());
  });
}

/** Follows the cursors to the end. */
export async function readAll(
  store: MetadataStore,
  query: DocumentQuery,
): Promise<readonly StoredDocument[]> {
  const documents: StoredDocument[] = [];
  let { cursor } = query;
  for (let pages = 0; pages < 1_000; pages += 1) {
    const page = await store.list({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.documents.length).toBeLessThanOrEqual(query.limit);
    documents.push(...page.documents);
    ({ cursor } = page);
    if (cursor === undefined) return documents;
  }
  throw new Error('the pages do not end');
}

/** @returns the error that the work fails with. */
export async function failureOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isAppError(error)) throw new Error('no failure, or not one of the port', { cause: error });
  return error;
}

export async function expectError(work: Promise<unknown>, code: ErrorCode): Promise<AppError> {
  const error = await failureOf(work);
  expect(error).toMatchObject({ code });
  return error;
}

function ignoreMissing(error: unknown): void {
  if (!isAppError(error, 'NOT_FOUND')) throw error;
}

function creations(count: number, text = ''): BatchOperation[] {
  return Array.from({ length: count }, (_, index) => ({ kind: 'create', id: `d${index}`, body: { text } }));
}

function nest(depth: number): JsonObject {
  return depth === 0 ? {} : { a: nest(depth - 1) };
}

function reason(skip: string | undefined): string {
  return skip === undefined ? '' : ` (skipped: ${skip})`;
}
