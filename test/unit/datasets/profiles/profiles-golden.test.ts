import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  profileSchema,
  type ColumnProfile,
  type Profile,
} from '../../../../shared/domains/datasets/profiles/profile.ts';
import type { Column, ColumnType } from '../../../../shared/domains/datasets/schema/column.ts';
import { createTableProfiler } from '../../../../shared/adapters/duckdb/profiling/table-profiler.ts';

/** Calculated with numpy, pandas and exact fractions: see generate.py beside it. */
interface Expected extends Omit<ColumnProfile, 'histogram' | 'name'> {
  readonly histogram?: { readonly rows: number[]; readonly edges?: number[]; readonly width?: string };
}
const folder = 'test/golden/profiles';
const expected = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Record<string, Expected>;
const names = Object.keys(expected);
const columns = Object.entries(expected).map(([name, { type }]): Column => ({ name, type, nullable: true }));
const options = { threads: 2, memoryLimitMb: 256 };
const profile = await createTableProfiler(options).profile([`${folder}/table.parquet`], columns, {});
const byName = new Map(profile.columns.map((column) => [column.name, column]));

test('covers every type of column', () => {
  const kinds = new Set(columns.map(({ type }) => type.replace(/\(.*/, '')));
  const all: readonly ColumnType[] = ['int64', 'double', 'boolean', 'date', 'timestamp', 'string', 'binary'];
  expect([...kinds].sort()).toEqual([...all, 'decimal'].sort());
  expect(profile).toMatchObject({ profileVersion: 1, rows: 3000, shortColumns: 0 });
  expect(profileSchema.parse(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
});

describe.each(names)('%s', (name) => {
  const { histogram, numbers, lengths, ...rest } = expected[name] as Expected;
  const column = byName.get(name) as ColumnProfile;

  test('counts, bounds, top values and quantiles are the same', () => {
    expect(column).toMatchObject(rest);
    const kept = ['histogram', 'numbers', 'lengths', 'name', 'isCut'];
    const keys = Object.keys(column).filter((key) => !kept.includes(key));
    expect(keys.sort()).toEqual(Object.keys(rest).sort());
  });

  test('moments and lengths equal exact arithmetic', () => {
    const { std, mean, ...counts } = numbers ?? {};
    const { std: ours, mean: ourMean, ...ourCounts } = column.numbers ?? {};
    expect(ourCounts).toEqual(counts);
    expect(column.lengths).toEqual(lengths);
    if (mean === undefined || std === undefined) expect([ours, ourMean]).toEqual([undefined, undefined]);
    // Decimals are added as doubles: 2^-53 of each can be lost.
    else if (column.type.startsWith('decimal'))
      expect(Math.abs((ourMean ?? 0) - mean)).toBeLessThan(lossOf(column));
    else expect(ourMean).toBe(mean);
    if (std !== undefined) expect(Math.abs((ours ?? 0) / std - 1)).toBeLessThan(1e-14);
  });

  test('histograms are the same', () => {
    expect(column.histogram?.rows).toEqual(histogram?.rows);
    const edges = column.histogram?.edges ?? [];
    if (histogram?.edges !== undefined)
      for (const [index, edge] of histogram.edges.entries())
        expect(Math.abs(Number(edges[index]) - edge)).toBeLessThanOrEqual(lossOf(column));
    if (histogram?.width !== undefined && column.type === 'int64')
      expect(edges).toEqual(
        histogram.rows
          .map((_, index) => widen(column, index, histogram.width))
          .concat(widen(column, histogram.rows.length, histogram.width)),
      );
  });
});

test('profiles are equal with one and two threads, and on every run', async () => {
  const texts = new Set<string>();
  for (const threads of [1, 2, 1, 2]) {
    const again: Profile = await createTableProfiler({ ...options, threads }).profile(
      [`${folder}/table.parquet`],
      columns,
      {},
    );
    texts.add(JSON.stringify(again));
  }
  expect(texts).toEqual(new Set([JSON.stringify(profile)]));
});

function widen(column: ColumnProfile, index: number, width = '1'): string {
  return String(BigInt(column.min ?? 0) + BigInt(index) * BigInt(width));
}

function lossOf({ min, max }: ColumnProfile): number {
  return 4 * Number.EPSILON * Math.max(Math.abs(Number(min)), Math.abs(Number(max)));
}
