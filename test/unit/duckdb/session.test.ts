import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { quoteText } from '../../../shared/adapters/duckdb/quote.ts';
import { runQuery } from '../../../shared/adapters/duckdb/run-query.ts';
import { openDuckDb } from '../../../shared/adapters/duckdb/session.ts';
import { passTurns } from '../../support/turns.ts';

const makeFolder = () => mkdtempSync(join(tmpdir(), 'duckdb-session-'));
const small = { threads: 1, memoryLimitMb: 128, allowedPaths: [] };

describe('a session', () => {
  test('reads and writes only the allowed paths', async () => {
    const folder = makeFolder();
    const allowed = join(folder, "it's.parquet");
    const below = join(folder, 'below');
    using session = await openDuckDb({ ...small, allowedPaths: [allowed], allowedDirectories: [below] });
    await runQuery(session.connection, `COPY (SELECT 42 AS a) TO ${quoteText(allowed)}`, undefined);
    const read = await runQuery(session.connection, `FROM read_parquet(${quoteText(allowed)})`, undefined);
    expect(read.getRows()).toEqual([[42]]);
    for (const sql of [
      `COPY (SELECT 1) TO ${quoteText(join(folder, 'other.parquet'))}`,
      `COPY (SELECT 1) TO ${quoteText(join(folder, 'below.parquet'))}`,
      `SELECT * FROM read_text('/etc/hostname')`,
      `ATTACH ${quoteText(join(folder, 'other.db'))}`,
      'INSTALL httpfs',
      'LOAD httpfs',
      "SET TimeZone = 'Asia/Tokyo'",
      'SET enable_external_access = true',
    ])
      await expect(session.connection.run(sql), sql).rejects.toThrow(/disabled|locked|permission/i);
    expect(readdirSync(folder)).toEqual(["it's.parquet"]);
  });

  test('uses UTC on each connection, independent of the machine’s time zone', async () => {
    const zone = process.env.TZ;
    process.env.TZ = 'Asia/Tokyo';
    try {
      using session = await openDuckDb(small);
      for (const connection of [session.connection, await session.connect()]) {
        const result = await runQuery(connection, `SELECT TIMESTAMPTZ '2026-01-01'::VARCHAR`, undefined);
        expect(result.value(0, 0)).toBe('2026-01-01 00:00:00+00');
      }
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  test('spills into its own folder, and removes it at the end', async () => {
    const tempDirectory = makeFolder();
    const session = await openDuckDb({ ...small, memoryLimitMb: 64, tempDirectory });
    await runQuery(
      session.connection,
      `CREATE TABLE u AS SELECT md5(range::VARCHAR) AS a FROM range(4_000_000)`,
      undefined,
    );
    expect(readdirSync(tempDirectory)).toHaveLength(1);
    expect(readdirSync(join(tempDirectory, readdirSync(tempDirectory)[0] ?? '')).length).toBeGreaterThan(0);
    session.dispose();
    session.dispose();
    expect(readdirSync(tempDirectory)).toEqual([]);
    expect(existsSync(tempDirectory)).toBe(true);
  });

  test('reports lack of memory when it cannot spill', async () => {
    using session = await openDuckDb({ ...small, memoryLimitMb: 32 });
    const sql = 'CREATE TABLE u AS SELECT md5(range::VARCHAR) AS a FROM range(4_000_000)';
    await expect(runQuery(session.connection, sql, undefined)).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/memory/) as unknown,
    });
  });

  test('stops a query on abort, and runs the next', async () => {
    using session = await openDuckDb(small);
    const sql = 'SELECT count(*) FROM range(100_000_000) a, range(1_000) b WHERE a.range + b.range = 3';
    // Before it starts to run, and after.
    for (const turns of [0, 1, 2, 5, 20]) {
      const abort = new AbortController();
      const running = runQuery(session.connection, sql, abort.signal);
      void passTurns(turns).then(() => abort.abort());
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    }
    await expect(runQuery(session.connection, 'SELECT 1', AbortSignal.abort())).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect((await runQuery(session.connection, 'SELECT 1', undefined)).value(0, 0)).toBe(1);
  });
});
