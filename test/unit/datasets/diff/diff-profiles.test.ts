import { describe, expect, test } from 'vitest';
import { diffProfiles, profileDiffSchema } from '../../../../shared/domains/datasets/diff/diff-profiles.ts';
import { diffSchemas, schemaDiffSchema } from '../../../../shared/domains/datasets/diff/diff-schemas.ts';
import { chooseLimits } from '../../../../shared/domains/datasets/profiles/choose-limits.ts';
import type { ColumnProfile, Profile } from '../../../../shared/domains/datasets/profiles/profile.ts';
import type { Column } from '../../../../shared/domains/datasets/schema/column.ts';

const numbers = { mean: 5, std: 2, zeros: 0, negatives: 0 };
const base: ColumnProfile = {
  name: 'x',
  type: 'int64',
  count: 100,
  nulls: 0,
  distinct: 10,
  min: '0',
  max: '10',
  numbers,
};

function makeProfile(rows: number, ...columns: readonly ColumnProfile[]): Profile {
  return {
    profileVersion: 1,
    rows,
    columns: [...columns],
    limits: chooseLimits(columns.length),
    shortColumns: 0,
  };
}

describe('the difference of profiles', () => {
  test('is empty for equal profiles', () => {
    expect(diffProfiles(makeProfile(100, base), makeProfile(100, base))).toEqual({
      rows: { before: 100, after: 100 },
      columns: [],
    });
  });

  test('measures rows as shares, positions relative to the range, and sizes relative to the larger', () => {
    const after = { ...base, count: 60, nulls: 40, distinct: 8, max: '20', numbers: { ...numbers, mean: 9 } };
    const found = diffProfiles(makeProfile(100, base), makeProfile(100, after));
    expect(profileDiffSchema.parse(found)).toEqual(found);
    expect(found.columns).toEqual([
      {
        name: 'x',
        kind: 'changed',
        before: 'int64',
        after: 'int64',
        change: 0.5,
        figures: [
          { figure: 'max', before: '10', after: '20', change: 0.5 },
          { figure: 'count', before: 100, after: 60, change: 0.4 },
          { figure: 'nulls', before: 0, after: 40, change: 0.4 },
          { figure: 'distinct', before: 10, after: 8, change: expect.closeTo(0.2, 12) as number },
          { figure: 'mean', before: 5, after: 9, change: 0.2 },
        ],
      },
    ]);
  });

  test('ignores twice the rows in equal shares', () => {
    const after = { ...base, count: 200 };
    const [column] = diffProfiles(makeProfile(100, base), makeProfile(200, after)).columns;
    expect(column?.figures).toEqual([{ figure: 'count', before: 100, after: 200, change: 0 }]);
  });

  test('lists added, removed and retyped columns first, then the largest change', () => {
    const names = (...all: string[]) => all.map((name) => ({ ...base, name }));
    const [a, b, c, gone] = names('a', 'b', 'c', 'gone');
    const after = [
      { ...a!, nulls: 1 },
      { ...b!, nulls: 30 },
      { ...c!, type: 'double' as const },
      ...names('new'),
    ];
    const found = diffProfiles(makeProfile(100, a!, b!, c!, gone!), makeProfile(100, ...after));
    expect(found.columns.map(({ name, kind, change }) => [name, kind, change])).toEqual([
      ['c', 'retyped', 1],
      ['new', 'added', 1],
      ['gone', 'removed', 1],
      ['b', 'changed', 0.3],
      ['a', 'changed', 0.01],
    ]);
  });

  test('compares a frequent value of one profile when the other lists all of its values', () => {
    const text = (distinct: number, ...top: [string, number][]): ColumnProfile => ({
      name: 's',
      type: 'string',
      count: 100,
      nulls: 0,
      distinct,
      top: top.map(([value, rows]) => ({ value, rows })),
    });
    const figuresOf = (before: ColumnProfile, after: ColumnProfile) =>
      diffProfiles(makeProfile(100, before), makeProfile(100, after)).columns[0]?.figures.map(
        ({ figure, change }) => [figure, change],
      );
    expect(figuresOf(text(2, ['a', 60], ['b', 40]), text(2, ['a', 60], ['c', 40]))).toEqual([
      ['rows of "c"', 0.4],
      ['rows of "b"', 0.4],
    ]);
    // Each profile lists the more frequent of two values.
    expect(figuresOf(text(2, ['a', 60]), text(2, ['c', 60]))).toBeUndefined();
  });

  test('measures timestamps as positions in time', () => {
    const at = (max: string): ColumnProfile => ({
      name: 't',
      type: 'timestamp',
      count: 1,
      nulls: 0,
      distinct: 1,
      max,
      min: '2026-01-01T00:00:00.000000Z',
    });
    const days = (day: number) => at(`2026-01-0${day}T00:00:00.000000Z`);
    const [column] = diffProfiles(makeProfile(1, days(3)), makeProfile(1, days(5))).columns;
    expect(column?.change).toBe(0.5);
  });
});

test('schemas differ by columns that were added, removed, retyped or made nullable', () => {
  const column = (name: string, type: Column['type'], nullable = true): Column => ({ name, type, nullable });
  const before = [column('same', 'int64'), column('__proto__', 'date'), column('n', 'int64', false)];
  const after = [column('n', 'double'), column('Same', 'int64'), column('same', 'int64')];
  const found = diffSchemas(before, after);
  expect(schemaDiffSchema.parse(found)).toEqual(found);
  expect(found).toEqual({
    added: [column('Same', 'int64')],
    removed: [column('__proto__', 'date')],
    retyped: [{ name: 'n', before: 'int64', after: 'double' }],
    nullability: [{ name: 'n', before: false, after: true }],
  });
  expect(diffSchemas(before, before)).toEqual({ added: [], removed: [], retyped: [], nullability: [] });
});
