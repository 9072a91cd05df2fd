import { describe, expect, it } from 'vitest';
import { isLike, readPattern } from '../../../shared/platform/search/like.ts';
import { openPageToken, sealPageToken, type Resume } from '../../../shared/platform/search/page-token.ts';
import type { SearchRequest } from '../../../shared/platform/search/search.ts';
import { searchDocuments } from '../../../shared/platform/search/search.ts';
import { isAppError } from '../../../shared/core/errors.ts';
import { runNames } from '../../../shared/api/mlflow/search-names.ts';
import { toMlflowMessage } from '../../../shared/api/mlflow/wording/wordings.ts';
import { fixedEntity, type SearchSubject } from '../../../shared/platform/search/subject.ts';
import { runSubject } from '../../../shared/domains/tracking/subjects/runs.ts';
import { openSqliteForTest } from '../../support/documents/stores.ts';

describe('errors name the position', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['metrics.m > 1 AND foo.bar = 1', /^Invalid entity type 'foo'.*\(at character 19\)$/],
    ['metrics.m > 1 metrics.n > 2', /Join conditions with AND or OR \(at character 15\)$/],
    ["metrics.m > 'x'", /^Expected numeric value type for metric.*Found 'x' \(at character 13\)$/],
    ['params.p = x', /^Expected a quoted string value for param.*Got value x \(at character 12\)$/],
    ['(metrics.m > 1', /expected '\)' but found '' \(at character 15\)$/],
    ["tags.t = 'x", /no closing quote/],
    ['run_id IN ()', /empty list/],
    ['metrics.m > 1 AND', /ends where a condition should follow/],
  ];
  it.each(cases)('%s', async (filter, message) => {
    const { store } = await openSqliteForTest();
    const error = await searchDocuments(store, { ...request, filter }).catch((thrown: unknown) => thrown);
    if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
    expect(toMlflowMessage(error)).toMatch(message);
  });
});

describe('a page token', () => {
  it('continues only its own search, with any page size', async () => {
    const { store } = await openSqliteForTest();
    for (let index = 0; index < 6; index += 1)
      await store.create(
        { container: 'tracking', partition: '1', id: `r${index}` },
        { kind: 'run', run: { runId: `r${index}`, startTime: index % 2 }, metrics: { m: index } },
      );
    const query: SearchRequest = { ...request, orderBy: ['metrics.m'], limit: 2 };
    const { pageToken } = await searchDocuments(store, query);
    const next = await searchDocuments(store, { ...query, limit: 3, pageToken: pageToken! });
    expect(next.documents.map(({ id }) => id)).toEqual(['r2', 'r3', 'r4']);
    const text = Buffer.from(pageToken!, 'base64url').toString();
    const forged = (from: RegExp, to: string) => {
      expect(text).toMatch(from);
      return Buffer.from(text.replace(from, to)).toString('base64url');
    };
    const others: readonly Partial<SearchRequest>[] = [
      { pageToken: 'nonsense' },
      { pageToken: '' },
      { pageToken: Buffer.from('{"offset":2}').toString('base64') },
      { pageToken: forged(/^1/, '2') },
      { pageToken: forged(/"value":1/, '"value":null') },
      { pageToken: forged(/\{"phase":"value","value":1\},/, '') },
      { orderBy: ['metrics.m DESC'] },
      { filter: 'metrics.m > 0' },
      { partition: '2' },
      { scope: { op: 'compare', test: 'eq', path: ['kind'], value: 'event' } },
    ];
    for (const other of others)
      await expect(
        searchDocuments(store, { ...query, pageToken: pageToken!, ...other }),
      ).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^Invalid cursor|^The cursor belongs to another query/) as string,
      });
  });

  it.each([
    { after: [{ phase: 'nan' }] },
    { position: { shared: [{ phase: 'nan' }, { phase: 'nan' }], phase: 'value' } },
  ] satisfies Resume[])('with other terms than the order has is refused: %j', (resume) => {
    expect(() => openPageToken({}, 2, sealPageToken({}, resume))).toThrow('Invalid cursor');
  });

  it('is absent on the last page', async () => {
    const { store } = await openSqliteForTest();
    for (const id of ['a', 'b', 'c'])
      await store.create(
        { container: 'tracking', partition: '1', id },
        { kind: 'run', run: { runId: id, startTime: 1 }, metrics: {}, nan: {} },
      );
    const page = await searchDocuments(store, { ...request, limit: 3, orderBy: ['metrics.m', 'params.p'] });
    expect(page.documents).toHaveLength(3);
    expect(page).not.toHaveProperty('pageToken');
  });
});

describe('a missing field', () => {
  const subject: SearchSubject = {
    what: 'things',
    entities: [
      fixedEntity(['attribute'], {
        other: { path: ['other'], type: 'string', missingIsDifferent: true },
        flag: { path: ['flag'], type: 'string', missingEquals: 'false' },
        name: { path: ['name'], type: 'string', isAlways: true },
      }),
    ],
    defaultOrder: [{ field: { path: ['name'], type: 'string', isAlways: true }, direction: 'asc' }],
  };

  it.each([
    ["flag = 'false'", 'none'],
    ["flag != 'true'", 'none'],
    ["flag != 'false'", 'true'],
    ["flag IN ('false', 'x')", 'none'],
    ["flag NOT IN ('true')", 'none'],
    ["flag LIKE 'f%'", 'none'],
    ['flag IS NULL', 'none'],
    ["NOT flag = 'true'", 'none'],
    ["other != 'true'", 'none'],
    ["other = 'true'", 'true'],
    ["other NOT IN ('true', 'x')", 'none'],
    ["NOT other = 'true'", 'none'],
  ])('%s finds %s', async (filter, expected) => {
    const { store } = await openSqliteForTest();
    await store.create({ container: 'c', partition: 'p', id: 'none' }, { name: 'none' });
    await store.create(
      { container: 'c', partition: 'p', id: 'true' },
      { name: 'true', flag: 'true', other: 'true' },
    );
    const page = await searchDocuments(store, {
      container: 'c',
      scope: { op: 'exists', path: ['name'] },
      subject,
      filter,
      limit: 5,
    });
    expect(page.documents.map(({ id }) => id).join(' ')).toBe(expected);
  });
});

describe('texts longer than an index keeps', () => {
  it('sort by their prefix, and are not lost between pages', async () => {
    const { store } = await openSqliteForTest();
    const long = '🛫'.repeat(1_024);
    const values = [`${long}b`, `${long}a`, long, 'x', `${long}c`, `${'🛫'.repeat(1_023)}z`];
    for (const [index, p] of values.entries())
      await store.create(
        { container: 'tracking', partition: '1', id: `r${index}` },
        { kind: 'run', run: { runId: `r${index}`, startTime: 1 }, params: { p } },
      );
    for (const [direction, expected] of [
      ['ASC', 'r3 r5 r0 r1 r2 r4'],
      ['DESC', 'r0 r1 r2 r4 r5 r3'],
    ] as const)
      for (const limit of [1, 2, 10]) {
        const ids: string[] = [];
        let pageToken: string | undefined;
        do {
          const page: Awaited<ReturnType<typeof searchDocuments>> = await searchDocuments(store, {
            ...request,
            orderBy: [`params.p ${direction}`],
            limit,
            ...(pageToken === undefined ? {} : { pageToken }),
          });
          ids.push(...page.documents.map(({ id }) => id));
          ({ pageToken } = page);
        } while (pageToken !== undefined);
        expect(ids.join(' ')).toBe(expected);
      }
  });
});

describe('LIKE', () => {
  it.each([
    ['', '', true],
    ['', '%', true],
    ['', '_', false],
    ['abc', 'a%', true],
    ['abc', '%b%', true],
    ['abc', 'a_c', true],
    ['abc', 'A_C', false],
    ['ab', 'a_b', false],
    ['aab', '%ab', true],
    ['a%c', 'a%c', true],
    ['aXbXc', 'a%b%c', true],
    ['aXbXc', 'a%c%b', false],
    ['🛫', '_', true],
    ['a\nb', 'a%b', true],
  ])('%j like %j: %s', (text, pattern, expected) => {
    expect(isLike(text, pattern, false)).toBe(expected);
  });

  it('classifies the patterns that a store can evaluate', () => {
    expect(readPattern('abc')).toMatchObject({ isLiteral: true, start: 'abc', end: '' });
    expect(['a%', '%a', '%a%', '%'].map((pattern) => readPattern(pattern).isSimple)).toEqual(
      Array.from({ length: 4 }, () => true),
    );
    expect(['a%b', 'a_', '%a%b%', '_'].some((pattern) => readPattern(pattern).isSimple)).toBe(false);
  });

  it('is fast for adversarial patterns', () => {
    expect(isLike('a'.repeat(5_000), `${'%a'.repeat(40)}%b`, false)).toBe(false);
  });
});

const request: SearchRequest = {
  container: 'tracking',
  partition: '1',
  scope: { op: 'compare', test: 'eq', path: ['kind'], value: 'run' },
  subject: runSubject,
  names: runNames,
  limit: 5,
};
