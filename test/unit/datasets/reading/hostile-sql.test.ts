import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../../../shared/core/errors.ts';
import type { QueryResult } from '../../../../shared/domains/datasets/reading/table-engine.ts';
import {
  allowedFunctions,
  refusedFunctions,
} from '../../../../shared/adapters/duckdb/querying/sql/functions.ts';
import { createTestEngine, createTestVersion } from '../../../support/datasets/readable-version.ts';
import { createFolder } from '../../../support/stores.ts';
import { passTurns } from '../../../support/turns.ts';

/**
 * Malicious and mistaken SQL. Each statement is refused or stopped with an error that explains it and reveals nothing of
 * this machine, and the process continues.
 */
const engine = createTestEngine();
const hastyEngine = createTestEngine({ timeoutMs: 1_000 });
const dataset = { id: 'int64', name: 'string', price: 'decimal(10,2)' } as const;
const rows = `SELECT range AS id, 'n' || range AS name, (range / 4)::DECIMAL(10, 2) AS price FROM range(5000)`;

const folder = mkdtempSync(join(tmpdir(), 'slipway-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { paths, version } = await createTestVersion(dataset, [rows], folder);
const table = { paths, columns: version.columns };
const run = (sql: string, by = engine): Promise<QueryResult> =>
  by.query({ table, sql, names: ['data', 'sales'], maxRows: 10, maxBytes: 100_000 });

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(
    (value) => new Error(`it answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

/** What leaves the process: message and details. */
function reportOf(error: AppError): string {
  return `${error.message} ${JSON.stringify(error.details)}`;
}

describe('SQL that reads anything else is refused before it runs', () => {
  test.each([
    // Files and the network.
    `SELECT * FROM '/etc/passwd'`,
    `SELECT * FROM "/etc/passwd"`,
    `FROM '/etc/hosts.csv'`,
    `SELECT * FROM read_csv('/etc/passwd')`,
    `SELECT * FROM read_csv_auto('/etc/passwd', delim=':')`,
    `SELECT * FROM main.read_csv('/etc/passwd')`,
    `SELECT * FROM system.main.read_text('/etc/passwd')`,
    `SELECT * FROM read_text('/proc/self/environ')`,
    `SELECT * FROM read_blob('/etc/shadow')`,
    `SELECT * FROM read_parquet('/tmp/**/*.parquet')`,
    `SELECT * FROM parquet_scan('x.parquet')`,
    `SELECT * FROM parquet_metadata('x.parquet')`,
    `SELECT * FROM read_json('http://169.254.169.254/metadata/instance')`,
    `SELECT * FROM 'https://example.com/x.parquet'`,
    `SELECT * FROM glob('/*')`,
    `SELECT * FROM sniff_csv('/etc/passwd')`,
    `SELECT * FROM read_duckdb('x.db')`,
    `SELECT (SELECT content FROM read_text('/etc/passwd'))`,
    `SELECT * FROM data WHERE name IN (SELECT content FROM read_text('/etc/passwd'))`,
    `SELECT * FROM data UNION ALL SELECT 1, content, 2 FROM read_text('/etc/passwd')`,
    `SELECT * FROM data ORDER BY (SELECT count(*) FROM read_text('/etc/passwd'))`,
    `SELECT * FROM data LIMIT (SELECT count(*) FROM glob('/*'))`,
    `SELECT sum(id) FILTER (EXISTS (FROM glob('/*'))) FROM data`,
    `SELECT sum(id) OVER (ORDER BY (SELECT max(file) FROM glob('/*'))) FROM data`,
    `WITH t AS (FROM glob('/*')) SELECT * FROM t`,
    `SELECT * FROM data, LATERAL (SELECT * FROM glob(name))`,
    `SELECT * FROM (PIVOT (FROM glob('/*')) ON file IN ('a') USING count(*))`,
    `SELECT list_transform([1], x -> (SELECT count(*) FROM glob('/*')))`,
    // SQL as text.
    `SELECT * FROM query('SELECT 1')`,
    `SELECT * FROM query_table('data')`,
    `SELECT * FROM query_table(['duckdb_settings'])`,
    `SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))`,
    `SELECT json_serialize_sql('SELECT 1')`,
    // The environment, settings and the catalog.
    `SELECT getenv('HOME')`,
    `SELECT GETENV('HOME')`,
    `SELECT "getenv"('HOME')`,
    `SELECT main.getenv('HOME')`,
    `SELECT 'HOME'.getenv()`,
    `SELECT list_transform(['HOME'], x -> getenv(x))`,
    `SELECT current_setting('temp_directory')`,
    `SELECT getvariable('x')`,
    `SELECT * FROM duckdb_settings()`,
    `SELECT * FROM duckdb_settings`,
    `SELECT * FROM duckdb_views()`,
    `SELECT * FROM duckdb_secrets()`,
    `SELECT * FROM duckdb_temporary_files()`,
    `SELECT * FROM duckdb_logs`,
    `SELECT * FROM information_schema.tables`,
    `SELECT * FROM pg_catalog.pg_views`,
    `SELECT * FROM sqlite_master`,
    `SELECT * FROM pragma_database_list`,
    `SELECT * FROM main.data`,
    `SELECT * FROM memory.main.data`,
    `SELECT * FROM other`,
    `WITH duckdb_views AS (SELECT * FROM duckdb_views) SELECT * FROM duckdb_views`,
    `SELECT * FROM (WITH duckdb_views AS (SELECT 1) FROM duckdb_views) a, duckdb_views b`,
    `SELECT * FROM (WITH "/etc/hosts.csv" AS (SELECT 1) FROM "/etc/hosts.csv") a, "/etc/hosts.csv" b`,
    `SELECT * FROM data AT (VERSION => 1)`,
    `SHOW TABLES`,
    `SHOW ALL TABLES`,
    `DESCRIBE data`,
    `SUMMARIZE data`,
    `SELECT * FROM (DESCRIBE data)`,
    `SELECT * FROM (SHOW TABLES)`,
    // Statements other than one SELECT.
    `PRAGMA database_list`,
    `SET memory_limit = '100GB'`,
    `SET VARIABLE x = 1`,
    `RESET ALL`,
    `ATTACH '/tmp/x.db' AS x`,
    `COPY data TO '/tmp/x.csv'`,
    `COPY (SELECT 1) TO '/tmp/x.csv'`,
    `EXPORT DATABASE '/tmp/x'`,
    `INSTALL httpfs`,
    `LOAD '/tmp/x.duckdb_extension'`,
    `CREATE TABLE t AS SELECT 1`,
    `CREATE MACRO f(x) AS x`,
    `CREATE OR REPLACE VIEW data AS SELECT 1`,
    `DROP VIEW data`,
    `INSERT INTO data VALUES (1)`,
    `DELETE FROM data`,
    `CALL pragma_version()`,
    `CHECKPOINT`,
    `BEGIN`,
    `EXPLAIN SELECT 1`,
    `EXPLAIN ANALYZE SELECT 1`,
    `PREPARE p AS SELECT 1`,
    `EXECUTE p`,
    `VACUUM`,
    `USE memory`,
    `PIVOT data ON name USING sum(price)`,
    `SELECT 1; SELECT 2`,
    `SELECT 1; DROP VIEW data`,
    `SELECT 1 -- a comment\n; ATTACH 'x'`,
    `SELECT 1 /* ; */ ; SELECT 2`,
    `; ;`,
    ``,
    `-- nothing`,
    `SELECT ?`,
    `SELECT $1`,
    `SELECT $name`,
    // Waiting and writing.
    `SELECT sleep_ms(100000)`,
    `SELECT pg_sleep(100)`,
    `SELECT write_log('x')`,
    `SELECT nextval('s')`,
    `SELECT setseed(0.5)`,
    `SELECT 1\0; SELECT getenv('HOME')`,
  ])('%s', async (sql) => {
    const error = await failure(run(sql));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(reportOf(error)).not.toContain(folder);
  });
});

test('hidden columns cannot be read', async () => {
  for (const column of ['filename', 'file_row_number', 'file_index', 'rowid', 'data.filename', '"getenv"'])
    expect((await failure(run(`SELECT ${column} FROM data`))).code, column).toBe('INVALID_ARGUMENT');
});

test('the database itself reaches nothing, even without the check of the SQL', async () => {
  const { openTable } = await import('../../../../shared/adapters/duckdb/querying/open-table.ts');
  const limits = { memoryLimitMb: 64, folder: createFolder(), tempLimitMb: 10 };
  using open = await openTable(table, limits);
  const other = join(createFolder(), 'other.csv');
  writeFileSync(other, 'a\n1\n');
  for (const sql of [
    `SELECT * FROM read_text('/etc/hostname')`,
    `SELECT * FROM '${other}'`,
    `SELECT * FROM glob('${dirname(other)}/*')`,
    `COPY (SELECT 1) TO '${other}'`,
    `ATTACH '${other}.db' AS x`,
    `INSTALL httpfs`,
    `LOAD httpfs`,
    `SET enable_external_access = true`,
    `SET memory_limit = '10GB'`,
    `SET allowed_directories = ['/']`,
  ])
    await expect(open.connection.run(sql), sql).rejects.toThrow(/disabled|locked/);
  expect(existsSync(`${other}.db`)).toBe(false);
});

describe('a query over a limit is stopped, and names the limit', () => {
  test.each([
    ['time', `SELECT count(*) FROM range(1000000000000)`],
    ['time', `SELECT count(*) FROM data a, data b, data c WHERE a.price + b.price + c.price < 0`],
    ['time', `WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t`],
    [
      'time',
      `SELECT count(*) FROM range(100000000) WHERE regexp_matches(repeat('a', 1000) || range, '(a|aa)+$b')`,
    ],
    ['memory', `SELECT repeat('x', 2000000000)`],
    ['memory', `SELECT len(printf('%1900000000d', 1))`],
    ['memory', `SELECT list_sum(range(2000000000))`],
    ['memory', `SELECT string_agg(repeat(name, 1000), ',') FROM data, range(1000)`],
    ['memory', `SELECT len(list(repeat(name, 100))) FROM data, range(1000)`],
  ])('%s: %s', async (limit, sql) => {
    const error = await failure(run(sql, limit === 'time' ? hastyEngine : engine));
    expect(error).toMatchObject({ code: 'UNPROCESSABLE', details: { limit } });
    expect(reportOf(error)).toMatch(/SLIPWAY_QUERY_(SECONDS|MEMORY_MB)/);
  });

  test('refuses SQL that is too long, too deep or too wide', async () => {
    for (const sql of [
      `SELECT '${'x'.repeat(10_000_000)}'`,
      `SELECT ${'('.repeat(40_000)}1${')'.repeat(40_000)}`,
      `SELECT 1${' + 1'.repeat(20_000)}`,
      `SELECT ${'-'.repeat(1_000)}`,
      `SELECT ${'[ '.repeat(20_000)}`,
      `SELECT ${'CASE WHEN 1=1 THEN '.repeat(2_000)}1${' END'.repeat(2_000)}`,
      `SELECT ${'(SELECT '.repeat(5_000)}1${')'.repeat(5_000)}`,
    ]) {
      const error = await failure(run(sql));
      expect(['INVALID_ARGUMENT', 'UNPROCESSABLE'], reportOf(error).slice(0, 300)).toContain(error.code);
      expect(reportOf(error).length).toBeLessThan(2_000);
    }
  });

  test('cuts a result at the row or byte limit, and refuses a row over it', async () => {
    expect(await run('SELECT * FROM data')).toMatchObject({ rows: { count: 10 }, cutBy: 'rows' });
    expect(await run(`SELECT repeat('x', 30000) FROM data`)).toMatchObject({
      rows: { count: 3 },
      cutBy: 'bytes',
    });
    expect(await failure(run(`SELECT repeat('x', 200000)`))).toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringContaining('200005 bytes'),
    });
    expect(await run('SELECT * FROM range(100000000000) LIMIT 10')).not.toHaveProperty('cutBy');
  });
});

test('a heavy query does not block the event loop or other queries', async () => {
  const abort = new AbortController();
  const heavySql = 'SELECT count(*) FROM range(1000000000000)';
  const heavy = failure(
    engine.query({ table, sql: heavySql, names: ['data'], maxRows: 1, maxBytes: 100 }, abort.signal),
  );
  let turns = 0;
  let counting = setImmediate(function count() {
    turns += 1;
    counting = setImmediate(count);
  });
  const answers = [];
  for (let i = 0; i < 5; i += 1) answers.push(await run(`SELECT ${i} AS i`));
  await passTurns();
  expect(answers.map(({ rows: { text } }) => text)).toEqual(['[0]', '[1]', '[2]', '[3]', '[4]']);
  expect(turns).toBeGreaterThan(5);
  clearImmediate(counting);
  abort.abort();
  // Only the abort ended the heavy query.
  expect(await heavy).toMatchObject({ code: 'CANCELLED' });
});

test('processes have no environment, and end with their owner without leaving files', async () => {
  const own = createFolder();
  const script = join(own, 'owner.ts');
  const module = new URL('../../../support/datasets/readable-version.ts', import.meta.url);
  const scratchModule = new URL('../../../../shared/adapters/embedded/scratch-folders.ts', import.meta.url);
  const engineModule = new URL(
    '../../../../shared/adapters/duckdb/querying/processes/table-engine.ts',
    import.meta.url,
  );
  writeFileSync(
    script,
    `import { createTableEngine } from ${JSON.stringify(engineModule.href)};
     import { createScratchFolders } from ${JSON.stringify(scratchModule.href)};
     import { readdirSync, readFileSync } from 'node:fs';
     const workerUrl = new URL('../../../shared/workers/query.ts', ${JSON.stringify(module.href)});
     const engine = createTableEngine({ workerUrl, scratch: createScratchFolders() }, { memoryLimitMb: 64, timeoutMs: 60000 });
     const table = { paths: [], columns: [{ name: 'a', type: 'int64', nullable: true }] };
     const ask = (sql) => engine.query({ table, sql, names: ['data'], maxRows: 1, maxBytes: 1000 });
     await ask('SELECT 1');
     const children = readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid)).filter((pid) => {
       try { return readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ')[1] === String(process.pid); } catch { return false; }
     });
     const environment = children.map((pid) => readFileSync('/proc/' + pid + '/environ', 'utf8')).join();
     process.stdout.write(JSON.stringify({ children, environment }), () => {
       ask('SELECT count(*) FROM range(1000000000000)').catch(() => {});
       setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300);
     });`,
  );
  const { stdout, signal } = spawnOwner(script, own);
  expect(signal).toBe('SIGKILL');
  const { children, environment } = JSON.parse(stdout) as { children: string[]; environment: string };
  expect(children).toHaveLength(1);
  expect(environment).not.toContain('SECRET_OF_THE_PLATFORM');
  await expect.poll(() => existsSync(`/proc/${children[0]}`)).toBe(false);
  await expect.poll(() => readdirSync(own)).toEqual(['owner.ts']);
});

function spawnOwner(script: string, temporary: string): { stdout: string; signal: string } {
  try {
    execFileSync(process.execPath, [script], {
      env: { ...process.env, TMPDIR: temporary, SECRET_OF_THE_PLATFORM: 'x' },
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    });
    throw new Error('expected the owner to be killed');
  } catch (error) {
    const { stdout, signal } = error as { stdout?: string; signal?: string };
    return { stdout: stdout ?? '', signal: signal ?? '' };
  }
}

test('no SQL reaches the network', async () => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end('a\n1\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  await failure(run(`SELECT * FROM 'http://127.0.0.1:${port}/x.csv'`));
  await failure(run(`SELECT * FROM read_csv('http://127.0.0.1:${port}/x.csv')`));
  expect(requests).toBe(0);
});

test('cancelling a query ends it and its process', async () => {
  const abort = new AbortController();
  const request = {
    table,
    sql: 'SELECT count(*) FROM range(1000000000000)',
    names: ['data'],
    maxRows: 1,
    maxBytes: 100,
  };
  const work = failure(engine.query(request, abort.signal));
  setTimeout(() => abort.abort(), 300);
  expect(await work).toMatchObject({ code: 'CANCELLED' });
  expect(await failure(engine.query(request, AbortSignal.abort()))).toMatchObject({ code: 'CANCELLED' });
});

describe('functions', () => {
  let builtIn: readonly string[] = [];
  beforeAll(async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const reader = await connection.runAndReadAll(
      `SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro')`,
    );
    builtIn = reader.getRows().map(([name]) => String(name));
    connection.closeSync();
  });

  test('every function of DuckDB is either allowed or refused', () => {
    const isKnown = (name: string) =>
      /^(__internal_|icu_collate_)/.test(name) || allowedFunctions.has(name) || refusedFunctions.has(name);
    expect(builtIn.length).toBeGreaterThan(700);
    expect(builtIn.filter((name) => !isKnown(name))).toEqual([]);
    expect([...allowedFunctions].filter((name) => refusedFunctions.has(name))).toEqual([]);
  });

  test('no allowed function is a macro that reads the catalog', async () => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const reader = await connection.runAndReadAll(
      `SELECT lower(function_name), macro_definition FROM duckdb_functions() WHERE function_type = 'macro'`,
    );
    const macros = reader.getRows().filter(([name]) => allowedFunctions.has(String(name)));
    expect(macros.length).toBeGreaterThan(30);
    expect(macros.filter(([, body]) => /\bfrom\b|duckdb_|pg_catalog/i.test(String(body)))).toEqual([]);
    connection.closeSync();
  });
});
