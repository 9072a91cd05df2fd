import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDataFile } from '../../../shared/adapters/duckdb/conversion/data-file.ts';
import { type DuckDbSession, openDuckDb } from '../../../shared/adapters/duckdb/session.ts';
import { createFolder } from '../../support/stores.ts';

let session: DuckDbSession;
beforeAll(async () => {
  session = await openDuckDb({
    threads: 1,
    memoryLimitMb: 256,
    allowedPaths: [],
    allowedDirectories: [tmpdir()],
  });
});
afterAll(() => session.dispose());

describe('a data file', () => {
  const { signal } = new AbortController();

  async function writeAndRead(texts: readonly (string | null)[], type = 'DOUBLE') {
    const path = join(createFolder(), 'data.parquet');
    const rows = texts.map((text) => (text === null ? '(NULL)' : `('${text}')`)).join(', ');
    const query = `SELECT x::${type} AS x, 'a' AS "it's" FROM (VALUES ${rows}) t(x)`;
    const columns = [
      { name: 'x', type: type === 'DOUBLE' ? ('double' as const) : ('int64' as const), nullable: true },
      { name: "it's", type: 'string' as const, nullable: true },
    ];
    const file = await writeDataFile(session.connection, query, path, columns, signal);
    const read = await session.connection.runAndReadAll(`SELECT x FROM read_parquet('${path}')`);
    return { values: read.getColumns()[0], file };
  }

  test.each([
    ['first', ['-0.0', '0.0', '0.0', '0.0', '-0.0', null]],
    ['later', ['0.0', '0.0', '0.0', '0.0', '0.0', '-0.0']],
    ['alone', ['-0.0', '-0.0', '-0.0', null]],
  ])('keeps the sign of each zero when a negative one comes %s', async (_, texts) => {
    const { values, file } = await writeAndRead(texts);
    expect(values).toEqual(texts.map((text) => (text === null ? null : Number(text))));
    expect(file?.rows).toBe(texts.length);
  });

  test('uses a dictionary where no zero is negative', async () => {
    const { file } = await writeAndRead(['0.0', '0.0', '0.0', '0.0', '0.0', null]);
    const found = await session.connection.runAndReadAll(
      `SELECT encodings FROM parquet_metadata('${file!.path}') WHERE path_in_schema = 'x'`,
    );
    expect(String(found.getColumns()[0]![0])).toContain('DICTIONARY');
  });
});
