import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { DatasetReading } from '../../../../shared/domains/datasets/reading/dataset-reading.ts';
import { pickRows } from '../../../../shared/domains/datasets/reading/pick-rows.ts';
import type { ReadableVersion } from '../../../../shared/domains/datasets/versions/readable-version.ts';
import { readPage, readPicked } from '../../../../shared/domains/datasets/reading/read-rows.ts';
import { encodeRowCursor } from '../../../../shared/domains/datasets/reading/row-cursor.ts';
import type { JsonRows } from '../../../../shared/domains/datasets/reading/table-engine.ts';
import { createScratchFolders } from '../../../../shared/adapters/embedded/scratch-folders.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import {
  createTestEngine,
  createTestVersion,
  type TestVersion,
} from '../../../support/datasets/readable-version.ts';

type Row = readonly [id: number, name: string];

const engine = createTestEngine();
const folder = mkdtempSync(join(tmpdir(), 'slipway-pages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Some are empty, one exceeds a DuckDB chunk, and there are more files than are opened together. */
const fileRows = [3, 0, 1, 2_500, 0, 0, 7, ...Array.from({ length: 33 }, (_, index) => (index * 5) % 4)];
const every = fileRows.map((_, file) => file);
const firstIdOf = (file: number) => file * 10_000;
const short = every.filter((file) => fileRows[file]! < 100);

let made: Promise<TestVersion> | undefined;
/** Files that make up versions; names have different lengths in characters and in bytes. */
async function openPool() {
  made ??= createTestVersion(
    { id: 'int64', name: 'string' },
    fileRows.map(
      (rows, file) =>
        `SELECT id, repeat('é', (id % 7)::INTEGER) AS name FROM (SELECT (${firstIdOf(file)} + i)::BIGINT AS id FROM range(${rows}) AS t(i))`,
    ),
    folder,
  );
  const pool = await made;
  const toVersion = (chosen: readonly number[]): ReadableVersion => ({
    ...pool.version,
    sha256: `of ${chosen.join(',')}`,
    files: chosen.map((file) => pool.version.files[file]!),
  });
  return { pool, toVersion, tools: { files: pool.files, engine, clock: new ManualClock(0) } };
}

/** Independent of the tested code. */
function listRows(chosen: readonly number[]): readonly Row[] {
  return chosen.flatMap((file) =>
    Array.from({ length: fileRows[file]! }, (_, row): Row => {
      const id = firstIdOf(file) + row;
      return [id, 'é'.repeat(id % 7)];
    }),
  );
}

const sizeOf = (rows: readonly Row[]) => Buffer.byteLength(rows.map((row) => JSON.stringify(row)).join(','));

function parse({ text, count }: JsonRows): readonly Row[] {
  const rows = JSON.parse(`[${text}]`) as readonly Row[];
  expect(rows).toHaveLength(count);
  return rows;
}

/** All pages, with the limits in turn. */
async function walk(chosen: readonly number[], limits: readonly number[], maxBytes = 1e6, where?: string) {
  const { tools, toVersion } = await openPool();
  const version = toVersion(chosen);
  const pages: (readonly Row[])[] = [];
  let cursor: string | undefined;
  do {
    const limit = limits[pages.length % limits.length]!;
    const request = { columns: version.columns, limit, maxBytes, cursor, where };
    const page = await readPage(tools, version, request, undefined);
    expect(page.rows.count).toBeLessThanOrEqual(limit);
    expect(Buffer.byteLength(page.rows.text)).toBeLessThanOrEqual(maxBytes);
    // A cursor that does not advance would loop forever.
    expect(page.cursor).not.toBe(cursor ?? 'none');
    pages.push(parse(page.rows));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

async function openReading(version: ReadableVersion) {
  const { pool } = await openPool();
  return new DatasetReading({
    versions: { resolve: () => Promise.resolve(version) },
    files: pool.files,
    engine,
    scratch: createScratchFolders(),
    clock: new ManualClock(0),
  });
}

describe('pages', () => {
  const someFiles = fc.subarray(short);

  test('return every row exactly once and in order, whatever the files and limits; only the last is short', async () => {
    const limits = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(someFiles, limits, async (chosen, some) => {
        const pages = await walk(chosen, some);
        expect(pages.flat()).toEqual(listRows(chosen));
        for (const [index, page] of pages.slice(0, -1).entries())
          expect(page).toHaveLength(some[index % some.length]!);
      }),
      { numRuns: 30, examples: [[[1, 2, 4], [1]]] },
    );
  });

  test('with a condition return the matching rows', async () => {
    const limit = fc.integer({ min: 1, max: 8 });
    await fc.assert(
      fc.asyncProperty(someFiles, limit, fc.integer({ min: 2, max: 9 }), async (chosen, rows, divisor) => {
        const pages = await walk(chosen, [rows], 1e6, `id % ${divisor} = 1`);
        expect(pages.flat()).toEqual(listRows(chosen).filter(([id]) => id % divisor === 1));
      }),
      { numRuns: 20 },
    );
  });

  test('end at the byte limit, and continue from there', async () => {
    await fc.assert(
      fc.asyncProperty(someFiles, fc.integer({ min: 30, max: 200 }), async (chosen, maxBytes) => {
        const pages = await walk(chosen, [50], maxBytes);
        expect(pages.flat()).toEqual(listRows(chosen));
        // Full: the next row did not fit.
        for (const [index, page] of pages.slice(0, -1).entries())
          expect(sizeOf([...page, pages[index + 1]![0]!])).toBeGreaterThanOrEqual(maxBytes);
      }),
      { numRuns: 20 },
    );
  });

  test('continue past the 2,048 rows of a DuckDB chunk', async () => {
    const pages = await walk([0, 3, 6], [2_047, 1, 2, 400]);
    expect(pages.map((page) => page.length)).toEqual([2_047, 1, 2, 400, 60]);
    expect(pages.flat()).toEqual(listRows([0, 3, 6]));
  });

  test('name a row that exceeds the byte limit, which omitting its column avoids', async () => {
    const { tools, toVersion } = await openPool();
    const version = toVersion([3]);
    const read = (names: readonly string[]) => {
      const columns = version.columns.filter(({ name }) => names.includes(name));
      return readPage(tools, version, { columns, limit: 1, maxBytes: 12 }, undefined);
    };
    await expect(read(['id', 'name'])).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringContaining('Leave out large columns') as string,
    });
    expect((await read(['id'])).rows.text).toBe('[30000]');
  });

  test('of files without rows are a single empty one', async () => {
    expect(await walk([1, 4, 5], [10])).toEqual([[]]);
    expect(await walk([1, 4, 5], [10], 1e6, 'id > 1')).toEqual([[]]);
  });

  test('past the end are empty', async () => {
    const { toVersion } = await openPool();
    const version = toVersion([0, 6]);
    const reading = await openReading(version);
    for (const [file, row] of [
      [2, 0],
      [1, 7],
      [0, 10],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ] as const) {
      const cursor = encodeRowCursor(version, { file, row });
      const page = await reading.rows('sales', 'latest', { limit: 5, cursor });
      expect([page.rows.count, page.cursor]).toEqual([0, undefined]);
    }
  });

  test('have the requested columns, once and in that order', async () => {
    const { toVersion } = await openPool();
    const reading = await openReading(toVersion([0]));
    const columns = ['name', 'id', 'name'];
    const page = await reading.rows('sales', 'latest', { limit: 2, columns });
    expect(page.columns.map(({ name }) => name)).toEqual(['name', 'id']);
    expect(page.rows.text).toBe('["",0],["é",1]');
  });
});

describe('samples', () => {
  test('are the rows with the chosen numbers, whatever the files', async () => {
    const { toVersion, tools } = await openPool();
    const count = fc.integer({ min: 1, max: 80 });
    await fc.assert(
      fc.asyncProperty(fc.subarray(short), count, fc.string(), async (chosen, wanted, seed) => {
        const version = toVersion(chosen);
        const all = listRows(chosen);
        const picked = pickRows(all.length, wanted, seed);
        expect(picked).toHaveLength(Math.min(wanted, all.length));
        const request = { columns: version.columns, picked, maxBytes: 1e6 };
        const rows = parse(await readPicked(tools, version, request, undefined));
        expect(rows).toEqual(picked.map((row) => all[row]));
      }),
      { numRuns: 30 },
    );
  });

  test('over the byte limit are refused and not cut', async () => {
    const { toVersion, tools } = await openPool();
    const version = toVersion(every);
    const all = listRows(every);
    const picked = all.map((_, row) => row);
    const read = (maxBytes: number) =>
      readPicked(tools, version, { columns: version.columns, picked, maxBytes }, undefined);
    const sizeBytes = sizeOf(all) + 1;
    expect(parse(await read(sizeBytes))).toEqual(all);
    for (const maxBytes of [1, 100, 20_000, sizeBytes - 30, sizeBytes - 1])
      await expect(read(maxBytes)).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
  });

  test('have at least one row', () => {
    for (const count of [0, -1, 0.5, NaN])
      expect(() => pickRows(9, count, '7')).toThrow(/must be a positive integer/);
  });

  // Generated with Python's hashlib and integers from the description of the algorithm.
  test.each([
    [1_000, 12, '0', [32, 149, 265, 305, 339, 366, 453, 543, 788, 867, 946, 950]],
    [12, 9, 'é😀', [0, 1, 3, 4, 5, 6, 7, 8, 11]],
    [5_000_000_000, 5, '7', [785_925_239, 1_588_357_039, 2_066_138_061, 2_574_479_104, 3_811_409_724]],
  ])('of %d rows, %d with the seed %s, never change', (total, count, seed, expected) => {
    expect(pickRows(total, count, seed)).toEqual(expected);
  });
});

test('a cut query names the limit and the remedy', async () => {
  const { toVersion } = await openPool();
  const reading = await openReading(toVersion([0, 6, 3]));
  const query = (sql: string, limit: number) => reading.query('sales', 'latest', { sql, limit });
  const total = listRows([0, 6, 3]).reduce((sum, [id]) => sum + id, 0);
  const whole = await query('SELECT count(*), sum(id)::BIGINT FROM sales', 1);
  expect(whole).toMatchObject({ truncated: false, rows: { text: `[2510,${total}]` } });
  expect(whole).not.toHaveProperty('remedy');
  const byRows = await query('SELECT id FROM data', 10);
  expect(byRows).toMatchObject({ truncated: true, rows: { count: 10 } });
  expect(byRows.remedy).toContain('more than 10 rows');
  const byBytes = await query("SELECT repeat('x', 3000000) AS x FROM data LIMIT 5", 10);
  expect(byBytes).toMatchObject({ truncated: true, rows: { count: 2 } });
  expect(byBytes.remedy).toContain('8388608 bytes');
});

describe('downloads', () => {
  const formats = ['parquet', 'csv', 'jsonl', 'arrow'] as const;

  test('have every row, a size where it is known, and release files after reading them', async () => {
    const { toVersion, pool } = await openPool();
    const chosen = [0, 1, 3, 6];
    const version = toVersion(chosen);
    const reading = await openReading(version);
    const csv = await reading.download(version, 'csv');
    expect(csv.fileName).toBe('sales-v3.csv');
    expect(csv).not.toHaveProperty('sizeBytes');
    const lines = listRows(chosen).map(([id, name]) => `${id},${name === '' ? '""' : name}\r\n`);
    const text = Buffer.concat(await Array.fromAsync(csv.body)).toString();
    expect(text).toBe(`id,name\r\n${lines.join('')}`);
    const parquet = await reading.download(version, 'parquet');
    expect(pool.files.held()).toBe(1);
    const bytes = Buffer.concat(await Array.fromAsync(parquet.body));
    expect(bytes).toHaveLength(parquet.sizeBytes!);
    expect(pool.files.held()).toBe(0);
  });

  test.each(formats)('release their files when the reader leaves: %s', async (format) => {
    const { toVersion, pool } = await openPool();
    const version = toVersion([0, 3, 6]);
    const { body } = await (await openReading(version)).download(version, format);
    const parts = body[Symbol.asyncIterator]();
    expect((await parts.next()).done).toBe(false);
    await parts.return?.();
    expect(pool.files.held()).toBe(0);
  });

  test('of a version without files have only the columns', async () => {
    const { toVersion } = await openPool();
    const version = toVersion([]);
    const reading = await openReading(version);
    const read = async (format: 'csv' | 'jsonl') => {
      const { body } = await reading.download(version, format);
      return Buffer.concat(await Array.fromAsync(body)).toString();
    };
    expect(await read('csv')).toBe('id,name\r\n');
    expect(await read('jsonl')).toBe('');
  });
});
