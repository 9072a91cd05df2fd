import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProfileWork } from '../../../../shared/domains/datasets/profiles/table-profiler.ts';
import type { ColumnProfile } from '../../../../shared/domains/datasets/profiles/profile.ts';
import type { Column, ColumnType } from '../../../../shared/domains/datasets/schema/column.ts';
import { createTableProfiler } from '../../../../shared/adapters/duckdb/profiling/table-profiler.ts';
import { writeParquetFile, type TestValue } from '../../../support/datasets/parquet-table.ts';

const profiler = createTableProfiler({ threads: 2, memoryLimitMb: 256 });
const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true });

async function profileOne(type: ColumnType, values: readonly TestValue[], work: ProfileWork = {}) {
  const path = await writeParquetFile(
    [column('x', type)],
    values.map((value) => [value]),
  );
  const profile = await profiler.profile([path], [column('x', type)], work);
  return profile.columns[0] as ColumnProfile;
}

describe('the profile of integers equals a naive count', () => {
  const small = fc.integer({ min: -20, max: 20 });
  const big = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const values = fc.array(fc.option(fc.oneof(small.map(BigInt), big)), { maxLength: 60 });

  test('counts, order, ties, quantiles, distribution, buckets, moments', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (all) => {
        const found = await profileOne('int64', all);
        const sorted = all.filter((value) => value !== null).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const counts = new Map<bigint, number>();
        for (const value of sorted) counts.set(value, (counts.get(value) ?? 0) + 1);
        expect(found).toMatchObject({
          count: sorted.length,
          nulls: all.length - sorted.length,
          distinct: counts.size,
          numbers: {
            zeros: counts.get(0n) ?? 0,
            negatives: sorted.filter((value) => value < 0n).length,
          },
        });
        const top = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 20);
        expect(found.top).toEqual(top.map(([value, rows]) => ({ value: String(value), rows })));
        if (sorted.length === 0) {
          expect(found.min).toBeUndefined();
          return;
        }
        expect([found.min, found.max]).toEqual([String(sorted[0]), String(sorted.at(-1))]);
        const { levels, values: at, rowsUpTo } = found.quantiles!;
        for (const [index, level] of levels.entries()) {
          const upTo = (value: bigint) => sorted.filter((other) => other <= value).length;
          const rank = BigInt(Math.round(level * 100)) * BigInt(sorted.length);
          const least = sorted.find((value) => BigInt(upTo(value)) * 100n >= rank);
          expect([at[index], rowsUpTo[index]]).toEqual([String(least), upTo(least!)]);
        }
        const edges = found.histogram!.edges.map(BigInt);
        expect(found.histogram!.rows).toEqual(
          edges
            .slice(1)
            .map((end, bucket) => sorted.filter((value) => value >= edges[bucket]! && value < end).length),
        );
        const scale = 2n ** 80n;
        const mean = (sorted.reduce((sum, value) => sum + value, 0n) * scale) / BigInt(sorted.length);
        expect(Math.abs(found.numbers!.mean! - Number(mean) / 2 ** 80)).toBeLessThanOrEqual(
          2 * Number.EPSILON * Math.abs(Number(mean) / 2 ** 80),
        );
        const squares = sorted.reduce((sum, value) => sum + (value * scale - mean) ** 2n, 0n);
        const std = Math.sqrt(Number(squares / scale / scale / BigInt(Math.max(1, sorted.length - 1))));
        if (sorted.length < 2) expect(found.numbers!.std).toBeUndefined();
        else if (std > 1e6) expect(found.numbers!.std! / std).toBeCloseTo(1, 9);
      }),
      { numRuns: 30 },
    );
  });
});

describe('doubles', () => {
  test('that are not finite are counted and otherwise excluded; 0 and -0 are equal', async () => {
    const found = await profileOne('double', ['nan', 'nan', 'inf', '-inf', '-0.0', '0', '2', null]);
    expect(found).toMatchObject({
      count: 7,
      nulls: 1,
      distinct: 5,
      min: '0',
      max: '2',
      numbers: {
        zeros: 2,
        negatives: 0,
        nans: 2,
        positiveInfinities: 1,
        negativeInfinities: 1,
        mean: 2 / 3,
      },
      histogram: { rows: [2, ...Array.from({ length: 28 }, () => 0), 1] },
    });
    expect(found.top?.map(({ value, rows }) => [value, rows])).toEqual([
      ['0', 2],
      ['NaN', 2],
      ['-Infinity', 1],
      ['2', 1],
      ['Infinity', 1],
    ]);
  });

  test.each([
    ['none', []],
    ['nothing but NaN', ['nan', 'nan']],
  ])('%s has no bounds', async (_, values) => {
    const { min, quantiles, histogram, numbers } = await profileOne('double', values);
    expect([min, quantiles, histogram, numbers?.mean, numbers?.std]).toEqual(Array(5).fill(undefined));
  });

  test.each([
    ['of the greatest', [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE], Number.MAX_VALUE / 3],
    ['of the smallest', [5e-324, 5e-324, 1.5e-323], 1e-323],
    ['of great and small', [1e300, 1, -1e300, 1e-300], 0.25],
    ['that are all the same', [0.1, 0.1, 0.1], 0.1],
  ])('%s have a mean and a finite deviation', async (what, values, mean) => {
    const { numbers, histogram } = await profileOne('double', values);
    // Bits more than 180 below those of the greatest value are dropped.
    if (what === 'of great and small') expect(numbers!.mean).toBe(0);
    else expect(numbers!.mean).toBe(mean);
    // 1.15 times the greatest double.
    if (what === 'of the greatest') expect(numbers!.std).toBeUndefined();
    else expect(numbers!.std).toBeLessThan(Infinity);
    if (what === 'that are all the same')
      expect([numbers!.std, histogram]).toEqual([0, { edges: ['0.1', '0.1'], rows: [3] }]);
    expect(histogram!.rows.reduce((sum, rows) => sum + rows, 0)).toBe(values.length);
  });
});

describe('texts', () => {
  test('are ordered by code points and cut without splitting one', async () => {
    const long = '🚀'.repeat(300);
    const found = await profileOne('string', [long, long, 'a\nb', '"', '', '\u{ffff}', null]);
    const cut = '🚀'.repeat(256);
    expect(found).toMatchObject({
      count: 6,
      nulls: 1,
      distinct: 5,
      min: '',
      max: cut,
      isCut: true,
      lengths: { min: 0, mean: 605 / 6, max: 300, empty: 1 },
      top: [
        { value: cut, rows: 2, isCut: true },
        { value: '', rows: 1 },
        { value: '"', rows: 1 },
        { value: 'a\nb', rows: 1 },
        { value: '\u{ffff}', rows: 1 },
      ],
    });
  });
});

describe('a table', () => {
  const columns = [column('it\'s "x"', 'int64'), column('__proto__', 'string'), column('later', 'double')];

  test('of several files, one of which lacks a column, has one profile', async () => {
    const old = await writeParquetFile(columns.slice(0, 2), [
      [1, 'a'],
      [2, 'b'],
    ]);
    const fresh = await writeParquetFile(columns.toReversed(), [[0.5, 'a', 3]]);
    const profile = await profiler.profile([old, fresh], [...columns, column('new', 'date')], {});
    expect(profile.rows).toBe(3);
    expect(profile.columns.map(({ name, count, nulls, distinct }) => [name, count, nulls, distinct])).toEqual(
      [
        ['it\'s "x"', 3, 0, 3],
        ['__proto__', 3, 0, 2],
        ['later', 1, 2, 1],
        ['new', 0, 3, 0],
      ],
    );
    const turned = await profiler.profile([fresh, old], [...columns, column('new', 'date')], {});
    expect(turned).toEqual(profile);
  });

  test('without files has columns without values', async () => {
    const types: readonly ColumnType[] = [
      'int64',
      'double',
      'decimal(5,1)',
      'boolean',
      'date',
      'timestamp',
      'string',
      'binary',
    ];
    const profile = await profiler.profile(
      [],
      types.map((type) => column(type, type)),
      {},
    );
    expect(profile).toMatchObject({
      rows: 0,
      columns: types.map((type) => ({ type, count: 0, nulls: 0, distinct: 0 })),
    });
  });

  test('of many columns has a profile of bounded size, and reports progress', async () => {
    const wide = Array.from({ length: 210 }, (_, index) =>
      column(`c${index}`, index % 2 === 0 ? 'int64' : 'string'),
    );
    const rows = Array.from({ length: 40 }, (_, row) => wide.map((_, index) => row * index));
    const path = await writeParquetFile(wide, rows);
    const seen: number[] = [];
    const report = (fraction: number) => seen.push(fraction);
    const whole = await profiler.profile([path], wide, { report });
    expect(whole.limits).toMatchObject({ topValues: 10, histogramBuckets: 20, quantiles: 'every-5-percent' });
    expect(whole.shortColumns).toBe(0);
    expect(seen).toHaveLength(210);
    expect(seen.at(-1)).toBe(1);
    const maxBytes = 40_000;
    const short = await profiler.profile([path], wide, { limits: { maxBytes } });
    expect(short.shortColumns).toBeGreaterThan(0);
    expect(short.shortColumns).toBeLessThan(210);
    const full = short.columns.slice(0, 210 - short.shortColumns);
    expect(full).toEqual(whole.columns.slice(0, full.length));
    expect(Buffer.byteLength(JSON.stringify(full))).toBeLessThanOrEqual(maxBytes + 300);
    expect(short.columns.at(-1)).toEqual({ name: 'c209', type: 'string', count: 40, nulls: 0, distinct: 40 });
  });

  test('of many values spills, with the same profile for any memory, threads and order of files', async () => {
    const types: readonly ColumnType[] = ['int64', 'double', 'string'];
    const shape = types.map((type) => column(type, type));
    const make = (from: number, to: number) =>
      writeParquetFile(
        shape,
        Array.from({ length: to - from }, (_, index) => {
          const value = ((from + index) * 7919) % 50_021;
          return [value, Math.sin(value) * 10 ** (value % 30), `${value}-${'x'.repeat(40)}`];
        }),
      );
    const files = [await make(0, 45_000), await make(45_000, 60_000)];
    const tempDirectory = mkdtempSync(join(tmpdir(), 'profile-'));
    const answers = new Set<string>();
    for (const [threads, memoryLimitMb, paths] of [
      [1, 32, files],
      [2, 256, files],
      [2, 256, files.toReversed()],
    ] as const) {
      const one = createTableProfiler({ threads, memoryLimitMb, tempDirectory });
      answers.add(JSON.stringify(await one.profile(paths, shape, {})));
    }
    expect(answers.size).toBe(1);
    expect(readdirSync(tempDirectory)).toEqual([]);
  });

  test('is abandoned when the caller aborts; a broken file is reported', async () => {
    const path = await writeParquetFile(columns, [[1, 'a', 1]]);
    const abort = new AbortController();
    const report = () => abort.abort();
    await expect(profiler.profile([path], columns, { signal: abort.signal, report })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await expect(profiler.profile(['/dev/null'], columns, {})).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
    });
    await expect(profiler.profile([join(tmpdir(), 'none.parquet')], columns, {})).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
