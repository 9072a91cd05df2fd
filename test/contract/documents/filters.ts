import { beforeAll, describe, expect, it } from 'vitest';
import type { Filter } from '../../../shared/platform/storage/documents.ts';
import type { ContractContext } from './fixture.ts';
import { readAll, reason } from './fixture.ts';

/** Which documents a filter selects. */
export function describeFilters(context: ContractContext): void {
  const { harness, store, container, fill, idsOf } = context;
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
      ['eq number', { op: 'compare', test: 'eq', path, value: 1 }, 'number'],
      ['eq of another type', { op: 'compare', test: 'eq', path, value: '1' }, ''],
      ['ne number', { op: 'compare', test: 'ne', path, value: 2 }, 'number'],
      [
        'not eq excludes unknown',
        { op: 'not', filter: { op: 'compare', test: 'eq', path, value: 2 } },
        'number',
      ],
      ['not ne', { op: 'not', filter: { op: 'compare', test: 'ne', path, value: 'b' } }, 'text'],
      ['lt', { op: 'compare', test: 'lt', path, value: 2 }, 'number'],
      ['not lt', { op: 'not', filter: { op: 'compare', test: 'lt', path, value: 1 } }, 'number'],
      ['gte text', { op: 'compare', test: 'gte', path, value: 'a' }, 'text'],
      ['lt true', { op: 'compare', test: 'lt', path, value: true }, 'no'],
      ['gte false', { op: 'compare', test: 'gte', path, value: false }, 'no yes'],
      ['in, of all types', { op: 'in', path, values: [1, 'b', false, 'z'] }, 'no number text'],
      ['in nothing', { op: 'in', path, values: [] }, ''],
      ['not in', { op: 'not', filter: { op: 'in', path, values: ['a', 'c'] } }, 'text'],
      ['not in, of two types: never false', { op: 'not', filter: { op: 'in', path, values: ['a', 2] } }, ''],
      ['exists', { op: 'exists', path }, 'list no number object text yes'],
      ['not exists', { op: 'not', filter: { op: 'exists', path } }, 'missing null'],
      ['a member', { op: 'compare', test: 'eq', path: ['f', 'g'], value: 1 }, 'object'],
      ['a missing member', { op: 'compare', test: 'ne', path: ['f', 'h'], value: 1 }, ''],
      ['startsWith', { op: 'match', how: 'startsWith', path, value: 'b' }, 'text'],
      ['not contains', { op: 'not', filter: { op: 'match', how: 'contains', path, value: 'x' } }, 'text'],
      [
        'startsWith, ignoring case',
        { op: 'match', how: 'startsWith', path, value: 'B', ignoreCase: true },
        'text',
      ],
      ['startsWith, case-sensitive', { op: 'match', how: 'startsWith', path, value: 'B' }, ''],
      [
        'not endsWith, ignoring case',
        { op: 'not', filter: { op: 'match', how: 'endsWith', path, value: 'B', ignoreCase: true } },
        '',
      ],
      [
        'contains, ignoring case',
        { op: 'match', how: 'contains', path, value: 'B', ignoreCase: true },
        'text',
      ],
      ['endsWith an empty string', { op: 'match', how: 'endsWith', path, value: '' }, 'text'],
      ['and of no filters', { op: 'and', filters: [] }, Object.keys(bodies).toSorted().join(' ')],
      ['or of no filters', { op: 'or', filters: [] }, ''],
      [
        'unknown or true',
        {
          op: 'or',
          filters: [
            { op: 'compare', test: 'gt', path, value: 0 },
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
              { op: 'compare', test: 'eq', path, value: 5 },
            ],
          },
        },
        Object.keys(bodies).toSorted().join(' '),
      ],
      ['an unindexed field', { op: 'compare', test: 'eq', path: ['points', 'x'], value: 1 }, ''],
    ];
    let partition: string;
    beforeAll(async () => {
      partition = await fill(bodies);
    });

    it.each(cases)('%s', async (_, filter, expected) => {
      const ids = await idsOf({ partition, filter });
      expect(ids.toSorted().join(' ')).toBe(expected);
    });

    it('address members with any name, and quote every name and value', async () => {
      const name = `a"] = 1 OR true OR c["b\\' @p0 -- /*`;
      const odd = await fill({ hit: { [name]: { [name]: name } }, miss: { [name]: { [name]: 'x' } } });
      const filter: Filter = { op: 'compare', test: 'eq', path: [name, name], value: name };
      expect(await idsOf({ partition: odd, filter })).toEqual(['hit']);
      expect(await idsOf({ partition: odd, sort: { path: [name, name], direction: 'desc' } })).toEqual([
        'miss',
        'hit',
      ]);
    });

    it('compare long strings completely', async () => {
      const long = 'x'.repeat(5_000);
      const many = await fill({
        a: { s: `${long}a` },
        b: { s: `${long}b` },
        c: { s: long },
        d: { s: 'x' },
      });
      const find = async (filter: Filter) => (await idsOf({ partition: many, filter })).toSorted().join(' ');
      const compare = (test: 'eq' | 'lt' | 'gt', value: string) =>
        find({ op: 'compare', test, path: ['s'], value });
      expect(await compare('eq', `${long}a`)).toBe('a');
      expect(await compare('gt', `${long}a`)).toBe('b');
      expect(await compare('lt', `${long}a`)).toBe('c d');
      expect(await compare('gt', long)).toBe('a b');
      expect(await find({ op: 'match', how: 'startsWith', path: ['s'], value: long })).toBe('a b c');
    });

    it.skipIf(harness.skipCodePoints !== undefined)(
      `compare strings by code point${reason(harness.skipCodePoints)}`,
      async () => {
        // UTF-16 order would swap the last two.
        const order = ['', 'A', 'a', 'é', '\ud7ff', '\uff5e', '🛫'];
        const texts = await fill(Object.fromEntries(order.map((s, index) => [`d${index}`, { s }])));
        const sorted = await readAll(store(), {
          container: container(),
          partition: texts,
          limit: 3,
          sort: { path: ['s'], direction: 'asc' },
        });
        expect(sorted.map(({ body }) => body['s'])).toEqual(order);
        const filter: Filter = { op: 'compare', test: 'gt', path: ['s'], value: '\uff5e' };
        expect(await idsOf({ partition: texts, filter })).toEqual(['d6']);
      },
    );
  });
}
