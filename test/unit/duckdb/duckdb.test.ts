import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, describe, test } from 'vitest';
import { translateDuckDbError } from '../../../shared/adapters/duckdb/errors.ts';
import { inspectParquet } from '../../../shared/adapters/duckdb/scanning/inspect-parquet.ts';
import { openParquet } from '../../../shared/adapters/duckdb/scanning/open-parquet.ts';
import { createParquetReader } from '../../../shared/adapters/duckdb/scanning/parquet-reader.ts';
import type { ColumnRequest } from '../../../shared/domains/training/table-reader.ts';
import { makeTempDir, writeParquet } from '../../support/training/training.ts';

/** Three of DuckDB's chunks of 2,048 rows, with nulls at irregular positions. */
const query = `SELECT
    range AS n,
    CASE WHEN range % 3 = 0 THEN NULL ELSE (range % 5)::VARCHAR || 'é''"' END AS text,
    CASE WHEN range % 5 = 0 THEN '' ELSE 'x' END AS maybe_empty,
    NULL::VARCHAR AS nothing,
    TIMESTAMP '1969-12-31 23:59:59.999' + INTERVAL (range) SECOND AS moment,
    TIMESTAMPTZ '2001-01-01 00:00:00+02' AS zoned,
    DATE '2001-02-03' AS day,
    range % 2 = 0 AS "is even, yes",
    CASE WHEN range % 7 = 0 THEN NULL ELSE range / 3 END AS ratio,
    (range / 4)::DECIMAL(10, 2) AS price,
    [1, 2] AS list,
    uuid() AS id,
  FROM range(5000)`;

async function makeTable(name = 'table.parquet', sql = query): Promise<string> {
  const path = join(await makeTempDir(), name);
  await writeParquet(path, sql);
  return path;
}

/** All values of one column. */
async function readColumn(path: string, request: ColumnRequest, threads = 1) {
  const scan = await createParquetReader({ threads }).scan([path], [request]);
  try {
    const values: number[] = [];
    for await (const batch of scan.batches()) {
      expect(batch.firstRow).toBe(values.length);
      const [column] = batch.columns;
      values.push(...(column?.as === 'category' ? column.codes : (column?.values ?? [])));
    }
    return { rows: scan.rows, categories: scan.categories[0], values };
  } finally {
    scan.close();
  }
}

describe('reading', () => {
  test('the shape has rows, types and the uses of each column', async () => {
    const shape = await inspectParquet(await makeTable());
    expect(shape.rows).toBe(5000);
    expect(shape.columns.map(({ name, type, kind }) => `${name}: ${type} ${kind}`)).toEqual([
      'n: BIGINT integer',
      'text: VARCHAR string',
      'maybe_empty: VARCHAR string',
      'nothing: VARCHAR string',
      'moment: TIMESTAMP timestamp',
      'zoned: TIMESTAMP WITH TIME ZONE timestamp',
      'day: DATE timestamp',
      'is even, yes: BOOLEAN boolean',
      'ratio: DOUBLE float',
      'price: DECIMAL(10,2) float',
      'list: INTEGER[] other',
      'id: UUID other',
    ]);
  });

  test.each([1, 2])('returns all rows once and in order, with %i thread(s)', async (threads) => {
    const { rows, values } = await readColumn(await makeTable(), { name: 'n', as: 'number' }, threads);
    expect(rows).toBe(5000);
    expect(values).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });

  test('nulls are NaN or -1, and texts are codes in code-point order', async () => {
    const path = await makeTable();
    const ratio = await readColumn(path, { name: 'ratio', as: 'number' });
    expect(ratio.values).toEqual(Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? NaN : i / 3)));
    const text = await readColumn(path, { name: 'text', as: 'category' });
    expect(text.categories).toEqual([0, 1, 2, 3, 4].map((i) => `${i}é'"`));
    expect(text.values).toEqual(Array.from({ length: 5000 }, (_, i) => (i % 3 === 0 ? -1 : i % 5)));
    const empty = await readColumn(path, { name: 'maybe_empty', as: 'category' });
    expect(empty.categories).toEqual(['x']);
    expect(empty.values.slice(0, 6)).toEqual([-1, 0, 0, 0, 0, -1]);
    const nothing = await readColumn(path, { name: 'nothing', as: 'category' });
    expect(nothing).toMatchObject({ categories: [], values: expect.arrayContaining([-1]) });
    const even = await readColumn(path, { name: 'is even, yes', as: 'category' });
    expect(even.categories).toEqual(['false', 'true']);
    const price = await readColumn(path, { name: 'price', as: 'number' });
    expect(price.values.slice(0, 4)).toEqual([0, 0.25, 0.5, 0.75]);
  });

  test('times are epoch milliseconds, in UTC without a zone', async () => {
    const path = await makeTable();
    const moment = await readColumn(path, { name: 'moment', as: 'timestamp' });
    expect(moment.values.slice(0, 3)).toEqual([-1, 999, 1999]);
    const zoned = await readColumn(path, { name: 'zoned', as: 'timestamp' });
    expect(zoned.values[0]).toBe(Date.parse('2000-12-31T22:00:00Z'));
    const day = await readColumn(path, { name: 'day', as: 'timestamp' });
    expect(day.values[0]).toBe(Date.parse('2001-02-03T00:00:00Z'));
  });

  test('reads a path with a quote', async () => {
    expect(await inspectParquet(await makeTable(`it's "x".parquet`, 'SELECT 1 AS a'))).toMatchObject({
      rows: 1,
    });
  });

  test('reads a table without rows', async () => {
    const path = await makeTable('none.parquet', 'SELECT 1 AS a LIMIT 0');
    expect(await inspectParquet(path)).toMatchObject({ rows: 0, columns: [{ name: 'a' }] });
  });
});

describe('refusals', () => {
  const scan = async (request: ColumnRequest, options = {}) => {
    const opened = await createParquetReader(options).scan([await makeTable()], [request]);
    opened.close();
  };

  test('unknown or unsuitable columns', async () => {
    await expect(scan({ name: 'nope', as: 'number' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/no column "nope"; it has: n, text,/),
    });
    await expect(scan({ name: 'list', as: 'number' })).rejects.toThrow(/"list" is of type INTEGER\[\]/);
    await expect(scan({ name: 'ratio', as: 'category' })).rejects.toThrow(/cannot be read as a category/);
    await expect(scan({ name: 'n', as: 'timestamp' })).rejects.toThrow(/cannot be read as a timestamp/);
  });

  test('an identifier as a category', async () => {
    await expect(scan({ name: 'n', as: 'category' }, { maxCategories: 4999 })).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      details: { column: 'n', maxCategories: 4999 },
    });
    await expect(scan({ name: 'n', as: 'category' }, { maxCategories: 5000 })).resolves.toBeUndefined();
  });

  test('any other file', async () => {
    const path = await makeTable();
    const other = await makeTable();
    using parquet = await openParquet([path], { threads: 1, memoryLimitMb: 128 });
    for (const sql of [
      `SELECT * FROM read_parquet('${other}')`,
      `SELECT * FROM read_text('/etc/hostname')`,
      `COPY (SELECT 1) TO '${other}.csv'`,
      `ATTACH '${other}.db'`,
      'INSTALL httpfs',
      'SET enable_external_access = true',
    ])
      await expect(parquet.connection.run(sql)).rejects.toThrow(/disabled|locked|permission/i);
  });

  test('an aborted query', async () => {
    const abort = new AbortController();
    const opened = await createParquetReader().scan(
      [await makeTable()],
      [{ name: 'n', as: 'number' }],
      abort.signal,
    );
    const read = async () => {
      for await (const _ of opened.batches()) abort.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'CANCELLED' });
    opened.close();
    await expect(createParquetReader().inspect(['any'], abort.signal)).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });
});

describe('the error of a damaged file names the fault', () => {
  const sound = async () => {
    const path = await makeTable();
    return { path, bytes: await readFile(path) };
  };

  test.each<[string, (bytes: Buffer) => Uint8Array, RegExp]>([
    ['empty', () => new Uint8Array(), /it is empty \(0 bytes\)/],
    ['a text', () => Buffer.from('date,delay\n'), /does not start with "PAR1"/],
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 100), /cut off before its footer/],
    ['only magic', () => Buffer.from('PAR1PAR1'), /cut off before its footer/],
    [
      'a footer length beyond the file',
      (bytes) => {
        bytes.writeUInt32LE(0x7fffffff, bytes.length - 8);
        return bytes;
      },
      /Footer length error/,
    ],
    [
      'footer overwritten',
      (bytes) => bytes.fill(0xff, bytes.length - 400, bytes.length - 8),
      /cannot be read: \S/,
    ],
    ['data overwritten', (bytes) => bytes.fill(0xff, 4, 2000), /cannot be read: \S/],
  ])('%s', async (_, damage, message) => {
    const { path, bytes } = await sound();
    await writeFile(path, damage(bytes));
    await expect(inspectParquet(path)).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(message),
    });
    await expect(inspectParquet(path)).rejects.not.toThrow(path);
  });

  test('no damage crashes the process or escapes as another error', async () => {
    const { path, bytes } = await sound();
    const random = createRandom(20010101);
    let refused = 0;
    for (let round = 0; round < 60; round++) {
      const damaged = Buffer.from(bytes);
      for (let i = 0; i < 20; i++) damaged[4 + Math.floor(random() * (bytes.length - 12))] = random() * 256;
      await writeFile(path, damaged);
      await inspectParquet(path).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'UNPROCESSABLE' });
        refused += 1;
      });
    }
    expect(refused).toBeGreaterThan(30);
  });

  test('a missing file, a folder, and a pattern', async () => {
    const dir = await makeTempDir();
    await expect(inspectParquet(join(dir, 'gone.parquet'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(inspectParquet(dir)).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    await expect(inspectParquet(join(dir, '*.parquet'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

/** A linear congruential generator: the same damage on every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test.each([
  [
    'Invalid Input Error: Prefetch registered for bytes outside file: /tmp/slipway-a1/m.parquet, attempted range: [1, 2), file size: 9',
    'The table cannot be read: Prefetch registered for bytes outside the file, attempted range: [1, 2), file size: 9.',
  ],
  [
    `IO Error: Cannot open file "/tmp/x y/m.parquet": No such file`,
    'The table cannot be read: Cannot open the file: No such file.',
  ],
  [
    "Invalid Input Error: No magic bytes found at end of file '/var/tmp/m.parquet'",
    'The table cannot be read: No magic bytes found at end of the file.',
  ],
  ['Binder Error: 3/4 of a/b', 'The table cannot be read: 3/4 of a/b.'],
])('a message never has a path of this machine: %s', (text, message) => {
  expect(translateDuckDbError(new Error(text)).message).toBe(message);
});
