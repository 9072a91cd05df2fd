import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCosmosDocuments } from '../../shared/adapters/azure/cosmos-documents.ts';
import type { ErrorCode } from '../../shared/core/errors.ts';
import type { DocumentQuery, MetadataStore } from '../../shared/platform/storage/documents.ts';
import type { WireReply, WireRequest } from '../support/cosmos/wire.ts';
import { failure, json } from '../support/cosmos/wire.ts';
import type { CosmosFixture } from '../support/documents/stores.ts';
import { openCosmosFixture } from '../support/documents/stores.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { expectError, failureOf, readAll } from './documents/fixture.ts';

let fixture: CosmosFixture;
let store: MetadataStore;
const container = 'contract';
const key = { container, partition: 'naïve/"p"', id: 'a b' };

beforeEach(async () => {
  fixture = await openCosmosFixture({ physicalPartitions: 2, throttledRetries: 1, timeoutMs: patienceMs });
  ({ store } = fixture);
});
afterEach(() => fixture.dispose());

/** The requests for documents since the last call, without the SDK's requests for ranges and plans. */
function lookAtRequests(): readonly WireRequest[] {
  const seen = fixture.server.requests.filter(
    ({ path, headers }) =>
      path.includes('/docs') && headers['x-ms-cosmos-is-query-plan-request'] === undefined,
  );
  fixture.server.requests.length = 0;
  return seen;
}

const isQuery = ({ headers }: WireRequest) => headers['x-ms-documentdb-isquery'] !== undefined;

describe('Cosmos DB documents: on the wire', () => {
  it('sends the partition of every operation, and a condition as if-match', async () => {
    const created = await store.create(key, { v: 1 }, { ttlSeconds: 60 });
    await store.replace(key, { v: 2 }, created.etag);
    const upserted = await store.upsert(key, { v: 3 });
    await store.get(key);
    await store.delete(key, upserted.etag);
    await expectError(store.delete(key), 'NOT_FOUND');
    const path = `/dbs/slipway/colls/${container}/docs`;
    const requests = lookAtRequests().map(({ method, path: at, headers, body }) => ({
      method,
      path: at.replace(/^\/+|\/$/g, '/').replace(/\/$/, ''),
      partition: headers['x-ms-documentdb-partitionkey'],
      ifMatch: headers['if-match'],
      upsert: headers['x-ms-documentdb-is-upsert'],
      body: body === '' ? undefined : (JSON.parse(body) as unknown),
    }));
    const partition = String.raw`["na\u00efve/\"p\""]`;
    const own = { id: 'a b', pk: key.partition, _key: 'naïve/"p"/a b' };
    const plain = { partition, ifMatch: undefined, upsert: undefined, body: undefined };
    expect(requests).toEqual([
      { ...plain, method: 'POST', path, body: { v: 1, ...own, ttl: 60 } },
      { ...plain, method: 'PUT', path: `${path}/a%20b`, ifMatch: created.etag, body: { v: 2, ...own } },
      { ...plain, method: 'POST', path, upsert: 'true', body: { v: 3, ...own } },
      { ...plain, method: 'GET', path: `${path}/a%20b` },
      { ...plain, method: 'DELETE', path: `${path}/a%20b`, ifMatch: upserted.etag },
      { ...plain, method: 'DELETE', path: `${path}/a%20b` },
    ]);
  });

  it('sends a batch as one atomic request', async () => {
    const old = await store.create({ ...key, id: 'old' }, { v: 0 });
    lookAtRequests();
    await store.batch(container, key.partition, [
      { kind: 'create', id: 'new', body: { v: 1 }, ttlSeconds: 5 },
      { kind: 'replace', id: 'old', body: { v: 2 }, etag: old.etag },
      { kind: 'delete', id: 'new' },
    ]);
    const [request, ...others] = lookAtRequests();
    expect(others).toEqual([]);
    expect(request!.headers).toMatchObject({
      'x-ms-cosmos-is-batch-request': 'true',
      'x-ms-cosmos-batch-atomic': 'true',
      'x-ms-documentdb-partitionkey': String.raw`["na\u00efve/\"p\""]`,
    });
    const own = (id: string) => ({ id, pk: key.partition, _key: `${key.partition}/${id}` });
    expect(JSON.parse(request!.body)).toEqual([
      { operationType: 'Create', resourceBody: { v: 1, ...own('new'), ttl: 5 } },
      { operationType: 'Replace', id: 'old', ifMatch: old.etag, resourceBody: { v: 2, ...own('old') } },
      { operationType: 'Delete', id: 'new' },
    ]);
  });

  it('queries one partition in one request, with parameterised SQL', async () => {
    await store.list({
      container,
      partition: 'p',
      limit: 7,
      filter: {
        op: 'and',
        filters: [
          { op: 'not', filter: { op: 'compare', test: 'lt', path: ['metrics', 'val "auc"'], value: 0.5 } },
          {
            op: 'or',
            filters: [
              { op: 'exists', path: ['a'] },
              { op: 'in', path: ['b'], values: ["o'hara", 1] },
            ],
          },
          { op: 'match', how: 'startsWith', path: ['name'], value: '%_' },
          {
            op: 'not',
            filter: { op: 'match', how: 'contains', path: ['name'], value: 'Test', ignoreCase: true },
          },
        ],
      },
      sort: { path: ['metrics', 'loss'], direction: 'desc' },
    });
    const [request, ...others] = lookAtRequests();
    expect(others).toEqual([]);
    expect(request!.headers).toMatchObject({
      'x-ms-documentdb-partitionkey': '["p"]',
      'x-ms-max-item-count': '7',
    });
    const loss = 'c["metrics"]["loss"]';
    expect(JSON.parse(request!.body)).toEqual({
      query: [
        'SELECT * FROM c WHERE c.pk = @p0',
        String.raw`IS_NUMBER(c["metrics"]["val \"auc\""])`,
        String.raw`c["metrics"]["val \"auc\""] >= @p1`,
        '(IS_DEFINED(c["a"]) AND NOT IS_NULL(c["a"])' +
          ' OR IS_STRING(c["b"]) AND c["b"] IN (@p2) OR IS_NUMBER(c["b"]) AND c["b"] IN (@p3))',
        'IS_STRING(c["name"])',
        'STARTSWITH(c["name"], @p4)',
        'IS_STRING(c["name"])',
        'NOT CONTAINS(c["name"], @p5, true)',
        `(IS_BOOL(${loss}) OR IS_NUMBER(${loss}) OR IS_STRING(${loss})) ORDER BY ${loss} DESC`,
      ].join(' AND '),
      parameters: [
        { name: '@p0', value: 'p' },
        { name: '@p1', value: 0.5 },
        { name: '@p2', value: "o'hara" },
        { name: '@p3', value: 1 },
        { name: '@p4', value: '%_' },
        { name: '@p5', value: 'Test' },
      ],
    });
  });

  it('reads one document more than a page across partitions, from the end of the last page', async () => {
    const sort = { path: ['n'], direction: 'desc' } as const;
    for (const [index, n] of [5, 4, 4, 4, 3].entries())
      await store.create({ container, partition: `p${index}`, id: 'd' }, { n });
    lookAtRequests();
    const queriesOf = () => [
      ...new Set(
        lookAtRequests().map(({ body }) => {
          const { query, parameters } = JSON.parse(body) as {
            query: string;
            parameters: { value: unknown }[];
          };
          return `${query.replace(/^.* WHERE | AND true\b/g, '')} ${JSON.stringify(parameters.map(({ value }) => value))}`;
        }),
      ),
    ];
    const first = await store.list({ container, sort, limit: 2 });
    expect(fixture.server.requests.filter(isQuery)[0]!.headers['x-ms-max-item-count']).toBe('3');
    expect(first.documents.map(({ body }) => body['n'])).toEqual([5, 4]);
    // The page would end among equal values, so those are read in the order of their keys.
    expect(queriesOf()).toEqual([
      'IS_STRING(c["n"]) ORDER BY c["n"] DESC []',
      'IS_NUMBER(c["n"]) ORDER BY c["n"] DESC []',
      'IS_NUMBER(c["n"]) AND c["n"] = @p0 AND c._key > @p1 ORDER BY c._key ASC [4,""]',
    ]);
    const second = await store.list({ container, sort, limit: 2, cursor: first.cursor! });
    expect(second.documents.map(({ body }) => body['n'])).toEqual([4, 4]);
    const third = await store.list({ container, sort, limit: 2, cursor: second.cursor! });
    expect(third.documents.map(({ body }) => body['n'])).toEqual([3]);
    expect(queriesOf()).toEqual([
      'IS_NUMBER(c["n"]) AND c["n"] = @p0 AND c._key > @p1 ORDER BY c._key ASC [4,"p1/d"]',
      'IS_NUMBER(c["n"]) AND c["n"] < @p0 ORDER BY c["n"] DESC [4]',
      'IS_BOOL(c["n"]) ORDER BY c["n"] DESC []',
    ]);
    expect(third.cursor).toBeUndefined();
  });

  it('loses nothing to short pages of the service', async () => {
    for (let index = 0; index < 9; index += 1)
      await store.create({ container, partition: index % 2 ? 'p' : 'q', id: `d${index}` }, { n: index });
    fixture.server.pageItems = 1;
    const sort = { path: ['n'], direction: 'asc' } as const;
    const values = async (query: Partial<DocumentQuery>) =>
      (await readAll(store, { container, sort, limit: 4, ...query })).map(({ body }) => body['n']);
    expect(await values({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await values({ partition: 'p' })).toEqual([1, 3, 5, 7]);
    // Within a partition a short page is returned unchanged.
    expect((await store.list({ container, partition: 'p', limit: 4 })).documents).toHaveLength(1);
  });

  it('accepts an empty page with a cursor', async () => {
    await store.create({ ...key, partition: 'p' }, { n: 1 });
    let empty = true;
    fixture.server.intercept = (request) => {
      if (!isQuery(request) || !empty) return undefined;
      empty = false;
      return json(200, { Documents: [], _count: 0 }, { 'x-ms-continuation': 'later' });
    };
    const query: DocumentQuery = { container, partition: 'p', limit: 5 };
    const page = await store.list(query);
    expect(page).toEqual({ documents: [], cursor: expect.any(String) as string });
    lookAtRequests();
    await store.list({ ...query, cursor: page.cursor! });
    expect(lookAtRequests()[0]!.headers['x-ms-continuation']).toBe('later');
  });

  it('reports the cost of each request', async () => {
    const charges: unknown[] = [];
    const { endpoint, database } = fixture.server;
    const counting = createCosmosDocuments({
      endpoint,
      database,
      credential: { key: fixture.server.key },
      discoverEndpoints: false,
      onCharge: (charge) => charges.push(charge),
    });
    await counting.create(key, { v: 1 });
    await counting.get(key);
    await counting.batch(container, key.partition, [{ kind: 'upsert', id: 'b', body: {} }]);
    await counting.list({ container, partition: key.partition, limit: 1 });
    await counting.delete(key);
    await counting.close();
    expect(charges).toEqual(
      ['create', 'get', 'batch', 'list', 'delete'].map((operation) => ({ operation, requestUnits: 1 })),
    );
  });
});

describe('Cosmos DB documents: faults', () => {
  const operations: Readonly<Record<string, () => Promise<unknown>>> = {
    get: () => store.get(key),
    create: () => store.create(key, {}),
    replace: () => store.replace(key, {}, '"etag"'),
    delete: () => store.delete(key),
    batch: () => store.batch(container, 'p', [{ kind: 'upsert', id: 'x', body: {} }]),
    'list in a partition': () => store.list({ container, partition: 'p', limit: 1 }),
    'list across partitions': () => store.list({ container, limit: 1 }),
  };
  const answerDocuments = (reply: WireReply | 'hang' | 'reset') => {
    fixture.server.intercept = (request) => (request.path.includes('/docs') ? reply : undefined);
  };

  const statuses: readonly (readonly [number, string, ErrorCode])[] = [
    [400, '0', 'INTERNAL'],
    [401, '0', 'UNAVAILABLE'],
    [403, '0', 'UNAVAILABLE'],
    [403, '1014', 'INSUFFICIENT_STORAGE'],
    [404, '1002', 'UNAVAILABLE'],
    [404, '1003', 'UNAVAILABLE'],
    [408, '0', 'TIMEOUT'],
    [410, '1000', 'UNAVAILABLE'],
    [413, '0', 'INVALID_ARGUMENT'],
    [449, '0', 'RATE_LIMITED'],
    [500, '0', 'UNAVAILABLE'],
    [503, '0', 'UNAVAILABLE'],
  ];
  const cases = statuses.flatMap(([status, substatus, code]) =>
    Object.keys(operations).map((operation) => ({ status, substatus, code, operation })),
  );
  it.each(cases)(
    '$operation: $status/$substatus is $code',
    async ({ status, substatus, code, operation }) => {
      answerDocuments(failure(status, 'on purpose', { 'x-ms-substatus': substatus }));
      expect(await failureOf(operations[operation]!())).toMatchObject({ code });
    },
  );

  it.each(Object.keys(operations))('%s: retries after throttling', async (operation) => {
    await store.upsert(key, {});
    let throttled = 0;
    fixture.server.intercept = (request) => {
      if (!request.path.includes('/docs') || request.headers['x-ms-cosmos-is-query-plan-request'])
        return undefined;
      throttled += 1;
      return throttled === 1 ? failure(429, 'slow down', { 'x-ms-retry-after-ms': '5' }) : undefined;
    };
    const outcome = await operations[operation]!().then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    expect(throttled).toBeGreaterThan(1);
    expect(outcome).toBe({ create: 'ALREADY_EXISTS', replace: 'PRECONDITION_FAILED' }[operation] ?? 'done');
  });

  it.each(Object.keys(operations))('%s: returns the Retry-After of lasting throttling', async (operation) => {
    answerDocuments(failure(429, 'slow down', { 'x-ms-retry-after-ms': '7' }));
    const error = await failureOf(operations[operation]!());
    expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: 7 } });
  });

  it('an outage carries the Retry-After of the service', async () => {
    answerDocuments(failure(503, 'down', { 'x-ms-retry-after-ms': '9' }));
    const error = await failureOf(store.get(key));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 9 });
  });

  it.each(Object.keys(operations))(
    '%s: reports an answer without a body, or not from Cosmos DB, as an outage',
    async (operation) => {
      for (const reply of [
        { status: 502, body: '<html>Bad gateway</html>' },
        { status: 503 },
        { status: 404 },
      ]) {
        answerDocuments(reply);
        expect(await failureOf(operations[operation]!())).toMatchObject({ code: 'UNAVAILABLE' });
      }
    },
  );

  it('a broken connection is UNAVAILABLE, a hanging one is TIMEOUT, and neither is "missing"', async () => {
    answerDocuments('reset');
    expect(await failureOf(store.upsert(key, {}))).toMatchObject({ code: 'UNAVAILABLE' });
    const stuck = await openCosmosFixture({ timeoutMs: 100 });
    stuck.server.intercept = () => 'hang';
    expect(await failureOf(stuck.store.get(key))).toMatchObject({ code: 'TIMEOUT' });
    expect(await failureOf(stuck.store.list({ container, limit: 1 }))).toMatchObject({ code: 'TIMEOUT' });
    await stuck.dispose();
    await fixture.server.close();
    expect(await failureOf(store.get(key))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await failureOf(store.ping())).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('fails at once when the Retry-After exceeds the deadline', async () => {
    const hasty = await openCosmosFixture({ timeoutMs: 2_000 });
    const slowDown = failure(429, 'slow down', { 'x-ms-retry-after-ms': '3600000' });
    hasty.server.intercept = ({ path }) => (path.includes('/docs') ? slowDown : undefined);
    expect(await failureOf(hasty.store.upsert(key, {}))).toMatchObject({ code: 'TIMEOUT' });
    await hasty.dispose();
  });

  it('reports a missing container as an outage, not as a missing document', async () => {
    expect(await failureOf(store.get({ ...key, container: 'forgotten' }))).toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(await failureOf(store.list({ container: 'forgotten', limit: 1 }))).toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('reports a refused continuation as an invalid cursor', async () => {
    for (const id of ['a', 'b']) await store.create({ ...key, id }, {});
    const query: DocumentQuery = { container, partition: key.partition, limit: 1 };
    const { cursor } = await store.list(query);
    answerDocuments(failure(400, 'Invalid Continuation Token'));
    expect(await failureOf(store.list({ ...query, cursor: cursor! }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('reports a partly answered batch as an outage', async () => {
    answerDocuments(json(207, [{ statusCode: 424, requestCharge: 0 }]));
    expect(await failureOf(operations['batch']!())).toMatchObject({ code: 'UNAVAILABLE' });
    answerDocuments(json(200, []));
    expect(await failureOf(operations['batch']!())).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
