import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Column } from '../../../../shared/domains/datasets/schema/column.ts';
import { maxCellLength } from '../../../../shared/adapters/duckdb/diffing/read-differences.ts';
import { createRowDiffer } from '../../../../shared/adapters/duckdb/diffing/row-differ.ts';
import { writeParquetFile, type TestValue } from '../../../support/datasets/parquet-table.ts';

const differ = createRowDiffer({ threads: 2, memoryLimitMb: 128 });
const column = (name: string, type: Column['type']): Column => ({ name, type, nullable: true });
const plain = [column('id', 'int64'), column('text', 'string')];
const page = { keys: ['id'], offset: 0, limit: 100 };

async function makeTable(columns: readonly Column[], ...files: (readonly (readonly TestValue[])[])[]) {
  return { paths: await Promise.all(files.map((rows) => writeParquetFile(columns, rows))), columns };
}

describe('a duplicate key', () => {
  test('is named with its version, the least key first', async () => {
    const once = await makeTable(plain, [[1, 'a']]);
    const rows = [
      [9, 'a'],
      [9, 'b'],
      [7, 'c'],
      [7, 'c'],
      [7, 'd'],
    ];
    const twice = await makeTable(plain, rows.slice(0, 3), rows.slice(3));
    await expect(differ.diff(once, twice, page)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('The key id = 7 occurs 3 times in the later version') as unknown,
      details: { key: { id: 7 }, version: 'later', rows: 3 },
    });
    await expect(differ.diff(twice, once, page)).rejects.toMatchObject({ details: { version: 'earlier' } });
  });

  test('is found when it is null, and when it has several columns', async () => {
    const table = await makeTable(plain, [
      [null, 'x'],
      [null, 'x'],
      [1, 'x'],
    ]);
    await expect(differ.diff(table, await makeTable(plain, []), page)).rejects.toMatchObject({
      details: { key: { id: null }, rows: 2 },
    });
    const both = { ...page, keys: ['text', 'id'] };
    await expect(differ.diff(table, table, both)).rejects.toMatchObject({
      message: expect.stringContaining('text = "x", id = null') as unknown,
    });
  });
});

test('a key must be a column of both versions, have one type, and be named once', async () => {
  const before = await makeTable(plain, [[1, 'a']]);
  const after = await makeTable([column('id', 'string'), column('new', 'string')], [['1', 'a']]);
  for (const [keys, message] of [
    [['new'], /"new" must be a column of both/],
    [['none'], /"none" must be a column of both/],
    [['id'], /"id" has the type int64 in one version and string in the other/],
    [['id', 'id'], /listed twice/],
  ] as const)
    await expect(differ.diff(before, after, { ...page, keys })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message) as unknown,
    });
});

test('a column that one version lacks is null there, and a retyped one is compared as text', async () => {
  const before = await makeTable(
    [column('id', 'int64'), column('n', 'int64'), column('gone', 'boolean')],
    [
      [1, 5, true],
      [2, 6, null],
      [3, 7, null],
    ],
  );
  const after = await makeTable(
    [column('id', 'int64'), column('n', 'string'), column('new', 'date')],
    [
      [1, '5', null],
      [2, '6', '2026-01-02'],
      [3, '8', null],
    ],
  );
  const found = await differ.diff(before, after, page);
  expect(found.columns).toEqual([
    { name: 'id', before: 'int64', after: 'int64' },
    { name: 'n', before: 'int64', after: 'string' },
    { name: 'new', after: 'date' },
    { name: 'gone', before: 'boolean' },
  ]);
  expect(found.rows).toEqual([
    { kind: 'changed', key: [1], changes: [{ column: 'gone', before: true, after: null }] },
    { kind: 'changed', key: [2], changes: [{ column: 'new', before: null, after: '2026-01-02' }] },
    { kind: 'changed', key: [3], changes: [{ column: 'n', before: 7, after: '8' }] },
  ]);
});

test('a column that files of a version lack is null there', async () => {
  const old = await writeParquetFile(plain, [[1, 'a']]);
  const columns = [...plain, column('later', 'double')];
  const fresh = await writeParquetFile(columns, [[2, 'b', 1.5]]);
  const added = await differ.diff({ paths: [], columns: plain }, { paths: [old, fresh], columns }, page);
  expect(added.rows.map((row) => row.kind === 'added' && row.row)).toEqual([
    [1, 'a', null],
    [2, 'b', 1.5],
  ]);
  const none = await differ.diff({ paths: [old], columns: plain }, { paths: [old], columns }, page);
  expect(none).toMatchObject({ counts: { unchanged: 1, changed: 0 }, rows: [], left: 0 });
});

test('duplicate rows count separately; empty tables do not differ', async () => {
  const before = await makeTable(plain, [
    [1, 'a'],
    [1, 'a'],
    [1, 'a'],
    [2, null],
  ]);
  const after = await makeTable(plain, [
    [2, null],
    [2, null],
    [1, 'a'],
  ]);
  const found = await differ.diff(before, after, { ...page, keys: [] });
  expect(found.counts).toEqual({ added: 1, removed: 2, changed: 0, unchanged: 2 });
  expect(found.rows).toHaveLength(2);
  expect(found.rows).toEqual(
    expect.arrayContaining([
      { kind: 'removed', row: [1, 'a'], before: 3, after: 1 },
      { kind: 'added', row: [2, null], before: 1, after: 2 },
    ]),
  );
  for (const keys of [[], ['id']]) {
    const nothing = { paths: [], columns: plain };
    expect(await differ.diff(nothing, nothing, { ...page, keys })).toMatchObject({
      counts: { added: 0, removed: 0, changed: 0, unchanged: 0 },
      rows: [],
    });
  }
});

test('long values are cut and marked, and compared in full', async () => {
  const columns = [...plain, column('raw', 'binary')];
  const long = 'é'.repeat(maxCellLength);
  const bytes = '00'.repeat(maxCellLength);
  const before = await makeTable(columns, [
    [1, `${long}a`, `${bytes}01`],
    [2, long, bytes],
  ]);
  const after = await makeTable(columns, [
    [1, `${long}b`, `${bytes}02`],
    [2, '', ''],
  ]);
  const { rows } = await differ.diff(before, after, page);
  const base64 = Buffer.alloc(maxCellLength).toString('base64');
  expect(rows[0]).toEqual({
    kind: 'changed',
    key: [1],
    changes: [
      { column: 'text', before: long, after: long },
      { column: 'raw', before: base64, after: base64 },
    ],
    cutColumns: ['text', 'raw'],
  });
  expect(rows[1]).toEqual({
    kind: 'changed',
    key: [2],
    changes: [
      { column: 'text', before: long, after: '' },
      { column: 'raw', before: base64, after: '' },
    ],
  });
});

test('a page of a wide table has fewer rows', async () => {
  const wide = Array.from({ length: 1_000 }, (_, index) => column(`c${index}`, 'int64'));
  const rows = Array.from({ length: 55 }, (_, row) => wide.map((_, index) => row * index));
  const after = { paths: [await writeParquetFile(wide, rows)], columns: wide };
  const found = await differ.diff({ paths: [], columns: wide }, after, { ...page, keys: [] });
  expect([found.rows.length, found.left]).toEqual([50, 5]);
});

describe('many rows', () => {
  const columns = [column('id', 'string'), column('n', 'int64')];
  const count = 60_000;
  const make = (change: (index: number) => readonly TestValue[]) =>
    makeTable(
      columns,
      Array.from({ length: count }, (_, index) => change(index)),
    );
  const name = (index: number) => `${(index * 7919) % count}-${'x'.repeat(40)}`;

  test('are compared in little memory by spilling, with the same result for one and two threads', async () => {
    const before = await make((index) => [name(index), index]);
    const after = await make((index) => [name(index), index % 3 === 0 ? -index : index]);
    const tempDirectory = mkdtempSync(join(tmpdir(), 'diff-'));
    const answers = new Set<string>();
    for (const [threads, memoryLimitMb] of [
      [1, 48],
      [2, 256],
    ] as const) {
      const one = createRowDiffer({ threads, memoryLimitMb, tempDirectory });
      for (const keys of [['id'], []])
        answers.add(JSON.stringify([keys, await one.diff(before, after, { keys, offset: 500, limit: 50 })]));
    }
    expect(answers.size).toBe(2);
    expect([...answers][0]).toContain('"counts":{"added":0,"removed":0,"changed":19999,"unchanged":40001}');
    expect(readdirSync(tempDirectory)).toEqual([]);
  });

  test('are abandoned when the caller aborts', async () => {
    const table = await make((index) => [name(index), index]);
    const abort = new AbortController();
    const running = differ.diff(table, table, page, abort.signal);
    setImmediate(() => abort.abort());
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
