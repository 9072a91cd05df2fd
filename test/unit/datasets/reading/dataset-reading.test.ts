import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DatasetReading } from '../../../../shared/domains/datasets/reading/dataset-reading.ts';
import { pickRows } from '../../../../shared/domains/datasets/reading/pick-rows.ts';
import type { ReadableVersion } from '../../../../shared/domains/datasets/versions/readable-version.ts';
import { createScratchFolders } from '../../../../shared/adapters/embedded/scratch-folders.ts';
import {
  createTestEngine,
  createTestVersion,
  type TestVersion,
} from '../../../support/datasets/readable-version.ts';

/** Files of very different sizes, one larger than a DuckDB vector; ids continue from file to file. */
const sizes = [3, 1, 2_100, 7, 40, ...Array.from({ length: 40 }, (_, index) => (index % 5) + 1)];
const total = sizes.reduce((sum, size) => sum + size, 0);
const ids = Array.from({ length: total }, (_, id) => id);

type Row = readonly [id: number, name: string];

describe('reading a version of many files', () => {
  let made: TestVersion;
  let reading: DatasetReading;
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-reading-'));
    let first = 0;
    const queries = sizes.map((size) => {
      first += size;
      return `SELECT i AS id, 'n' || (i % 10) AS name FROM range(${first - size}, ${first}) AS t(i)`;
    });
    made = await createTestVersion({ id: 'int64', name: 'string' }, queries, folder);
    reading = openReading(made.version);
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  function openReading(version: ReadableVersion, now = () => 0) {
    return new DatasetReading({
      versions: { resolve: () => Promise.resolve(version) },
      files: made.files,
      engine: createTestEngine(),
      scratch: createScratchFolders(),
      clock: { now, sleep: () => Promise.resolve() },
    });
  }

  async function walk(request: { limit: number; where?: string }): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let cursor: string | undefined;
    do {
      const page = await reading.rows('sales', 'latest', { ...request, cursor });
      const found = JSON.parse(`[${page.rows.text}]`) as Row[];
      expect(found).toHaveLength(page.rows.count);
      expect(found.length).toBeLessThanOrEqual(request.limit);
      rows.push(...found);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return rows;
  }

  test('its schema counts all rows', async () => {
    expect(await reading.schema('sales', 'latest')).toMatchObject({ version: 3, rows: total });
  });

  test.each([1_000, 997, 2_100, total, 10_000])(
    'pages of %d return all rows, once and in order',
    async (limit) => {
      const rows = await walk({ limit });
      expect(rows.map(([id]) => id)).toEqual(ids);
      expect(rows.every(([id, name]) => name === `n${id % 10}`)).toBe(true);
    },
  );

  test('pages of any limit and condition hold exactly the matching rows', async () => {
    const conditions = [
      ["name = 'n3'", (id: number) => id % 10 === 3],
      [`id >= ${total - 5} OR id < 4`, (id: number) => id >= total - 5 || id < 4],
      ['id = -1', () => false],
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...conditions),
        fc.integer({ min: 60, max: 500 }),
        async ([where, fits], limit) => {
          expect((await walk({ limit, where })).map(([id]) => id)).toEqual(ids.filter(fits));
        },
      ),
      { numRuns: 6 },
    );
  });

  test('a first page downloads only the files that it needs', async () => {
    const before = made.files.opened.length;
    await reading.rows('sales', 'latest', { limit: 4 });
    expect(made.files.opened.slice(before)).toEqual(made.version.files.slice(0, 2).map(({ path }) => path));
  });

  test('a cursor is bound to its content and condition', async () => {
    const where = 'id > 5';
    const { cursor } = await reading.rows('sales', 'latest', { limit: 2, where });
    const other = openReading({ ...made.version, sha256: 'f'.repeat(64) });
    for (const wrong of [
      () => reading.rows('sales', 'latest', { limit: 2, cursor }),
      () => reading.rows('sales', 'latest', { limit: 2, cursor, where: 'id > 6' }),
      () => other.rows('sales', 'latest', { limit: 2, cursor, where }),
      () => reading.rows('sales', 'latest', { limit: 2, cursor: 'no cursor', where }),
      () => reading.rows('sales', 'latest', { limit: 2, cursor: `${cursor}AAAA`, where }),
    ])
      await expect(wrong()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('a page that takes too long is short, and has a cursor', async () => {
    let time = 0;
    const slow = openReading(made.version, () => (time += 20_000));
    const { rows, cursor } = await slow.rows('sales', 'latest', { limit: 50, where: 'id = 2200' });
    expect(rows.count).toBe(0);
    expect(cursor).toBeDefined();
  });

  test('an unknown column is named with the known ones', async () => {
    const wrong = reading.rows('sales', 'latest', { limit: 1, columns: ['nmae'] });
    await expect(wrong).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('id, name'),
    });
  });

  test('a sample has distinct rows in order, the same for the same seed', async () => {
    const sample = async (count: number, seed: string) => {
      const { rows } = await reading.sample('sales', 'latest', { count, seed });
      const found = JSON.parse(`[${rows.text}]`) as Row[];
      expect(found.every(([id, name]) => name === `n${id % 10}`)).toBe(true);
      return found.map(([id]) => id);
    };
    const some = await sample(100, 'a');
    expect(some).toHaveLength(100);
    expect(some).toEqual([...new Set(some)].toSorted((a, b) => a - b));
    expect(some).toEqual(pickRows(total, 100, 'a'));
    expect(await sample(100, 'a')).toEqual(some);
    expect(await sample(100, 'b')).not.toEqual(some);
    expect(await sample(10_000, 'a')).toEqual(ids);
  });

  test('releases files after reading them', () => {
    expect(made.files.held()).toBe(0);
  });

  test('a version without files has no rows and no next page', async () => {
    const empty = openReading({ ...made.version, files: [] });
    expect(await empty.rows('sales', 'latest', { limit: 5 })).toMatchObject({
      rows: { text: '', count: 0 },
    });
    expect((await empty.rows('sales', 'latest', { limit: 5 })).cursor).toBeUndefined();
    expect((await empty.sample('sales', 'latest', { count: 5, seed: 'a' })).rows.count).toBe(0);
  });
});

test('samples rows uniformly', () => {
  const counts = new Uint32Array(10);
  for (let seed = 0; seed < 5_000; seed += 1)
    for (const row of pickRows(10, 3, String(seed))) counts[row]! += 1;
  // 1,500 each; the standard deviation is 32, and χ² with 9 degrees of freedom is below 33 in all but one of 10,000.
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1_500) ** 2 / 1_500, 0) / 0.7;
  expect(chiSquare).toBeLessThan(33);
});
