import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../../core/errors.ts';
import type { LocalDataFile } from '../../../domains/datasets/ingestion/staging/local-data-file.ts';
import type { MergeJob, TableMerger } from '../../../domains/datasets/ingestion/committing/table-merger.ts';
import type { Column } from '../../../domains/datasets/schema/column.ts';
import { typeOf } from '../column-sql.ts';
import { writeDataFile } from '../conversion/data-file.ts';
import { quoteName } from '../quote.ts';
import { runQuery } from '../run-query.ts';
import { openDuckDb } from '../session.ts';
import { openSource } from '../table-source.ts';

/**
 * Merges through DuckDB. A join on the keys finds the files that change, and each of them is rewritten separately: memory
 * holds the incoming rows and one file, not the table.
 */
export function createTableMerger(limits: {
  readonly threads: number;
  readonly memoryLimitMb: number;
}): TableMerger {
  return {
    merge: async (job) => {
      using session = await openDuckDb({
        ...limits,
        tempDirectory: job.directory,
        allowedPaths: [],
        allowedDirectories: [job.directory],
        columns: job.columns.length,
      });
      const { connection } = session;
      const { signal } = job;
      await load(connection, 'incoming', job.incoming, job.columns, signal);
      await runQuery(
        connection,
        `CREATE TABLE matched AS SELECT NULL::INTEGER AS file, NULL::BIGINT AS incoming_row WHERE false`,
        signal,
      );
      const rewritten = new Map<number, LocalDataFile>();
      let updated = 0;
      for (const [index, path] of job.existing.entries()) {
        const changed = await match(connection, index, path, job);
        if (changed === 0) continue;
        updated += changed;
        rewritten.set(index, await rewrite(connection, index, path, job));
      }
      const inserted = await insert(connection, job);
      return { rewritten, updated, ...(inserted ? { inserted } : {}) };
    },
  };
}

const rowName = '"slipway incoming row"';

async function load(
  connection: DuckDBConnection,
  table: string,
  paths: readonly string[],
  columns: readonly Column[],
  signal: AbortSignal,
): Promise<void> {
  const source = await openSource(connection, paths, signal);
  await runQuery(
    connection,
    `CREATE TABLE ${table} AS SELECT row_number() OVER () AS ${rowName}, ${source.list(columns)} FROM ${source.from}`,
    signal,
  );
}

/** Records which incoming rows have their key in a file. @returns the number of rows in the file that change */
async function match(
  connection: DuckDBConnection,
  index: number,
  path: string,
  { keys, columns, signal }: MergeJob,
): Promise<number> {
  const source = await openSource(connection, [path], signal);
  const on = keys.map((key) => `old.${quoteName(key)} = new.${quoteName(key)}`).join(' AND ');
  const joined = `(SELECT ${source.list(columns)} FROM ${source.from}) old JOIN incoming new ON ${on}`;
  await runQuery(connection, `INSERT INTO matched SELECT ${index}, new.${rowName} FROM ${joined}`, signal);
  const differs = columns
    .map(({ name }) => `old.${quoteName(name)} IS DISTINCT FROM new.${quoteName(name)}`)
    .join(' OR ');
  const count = await runQuery(connection, `SELECT count(*)::DOUBLE FROM ${joined} WHERE ${differs}`, signal);
  return count.value(0, 0) as number;
}

async function rewrite(
  connection: DuckDBConnection,
  index: number,
  path: string,
  { keys, columns, directory, signal }: MergeJob,
): Promise<LocalDataFile> {
  const source = await openSource(connection, [path], signal);
  const chosen = columns
    .map(
      ({ name, type }) =>
        `(CASE WHEN new.${rowName} IS NULL THEN old.${quoteName(name)} ELSE new.${quoteName(name)} END)::${typeOf(type)} AS ${quoteName(name)}`,
    )
    .join(', ');
  const on = keys.map((key) => `old.${quoteName(key)} = new.${quoteName(key)}`).join(' AND ');
  const old = `(SELECT file_row_number AS "slipway row", ${source.list(columns)} FROM ${source.from})`;
  const target = join(directory, `merged-${index}.parquet`);
  const rows = `SELECT ${chosen} FROM ${old} old LEFT JOIN incoming new ON ${on} ORDER BY old."slipway row"`;
  const file = await writeDataFile(connection, rows, target, columns, signal);
  if (!file) throw new AppError('INTERNAL', 'A merge lost the rows of a data file.');
  return file;
}

/** @returns undefined when all keys exist */
async function insert(
  connection: DuckDBConnection,
  { columns, directory, signal }: MergeJob,
): Promise<LocalDataFile | undefined> {
  const fresh = `FROM incoming WHERE ${rowName} NOT IN (SELECT incoming_row FROM matched)`;
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  const target = join(directory, 'inserted.parquet');
  const rows = `SELECT ${names} ${fresh} ORDER BY ${rowName}`;
  return writeDataFile(connection, rows, target, columns, signal);
}
