import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../../core/errors.ts';
import type { Column, ColumnType } from '../../../domains/datasets/schema/column.ts';
import { checkParquet } from '../check-parquet.ts';
import { nameNotFinite } from '../json-sql.ts';
import { quoteName, quoteText } from '../quote.ts';
import { runQuery } from '../run-query.ts';

/** The limit of Delta tables and DuckDB, which reads longer decimals as doubles. */
const maxPrecision = 38;

/** A column of a Parquet file, and the SQL that converts its values. */
export interface ParquetColumn extends Column {
  readonly toSql: string;
}

/**
 * The columns that a Parquet file has as a dataset. Integers of any width become int64 (unsigned 64-bit ones decimals),
 * timestamps without a zone instants in UTC, nested values JSON text.
 *
 * @throws UNPROCESSABLE naming an unsupported column, and for a file that is not Parquet
 */
export async function inspectParquetColumns(
  connection: DuckDBConnection,
  path: string,
  signal: AbortSignal,
): Promise<readonly Column[]> {
  const columns = await readParquetColumns(connection, path, signal);
  return columns.map(({ name, type, nullable, note }) => ({
    name,
    type,
    nullable,
    ...(note === undefined ? {} : { note }),
  }));
}

export async function readParquetColumns(
  connection: DuckDBConnection,
  path: string,
  signal: AbortSignal,
): Promise<readonly ParquetColumn[]> {
  await checkParquet(path);
  await checkNames(connection, path, signal);
  const described = await runQuery(
    connection,
    `DESCRIBE SELECT * FROM read_parquet(${quoteText(path)})`,
    signal,
  );
  return described.getRows().map(([name, type]) => toColumn(String(name), String(type)));
}

/** Checks the names in the file itself: DuckDB silently renames duplicates. */
async function checkNames(connection: DuckDBConnection, path: string, signal: AbortSignal): Promise<void> {
  const schema = await runQuery(
    connection,
    `SELECT name, coalesce(num_children, 0)::INTEGER, coalesce(precision, 0)::INTEGER FROM parquet_schema(${quoteText(path)})`,
    signal,
  );
  const [root, ...nodes] = schema.getRows() as [string, number, number][];
  const seen = new Map<string, string>();
  for (let at = 0, left = root?.[1] ?? 0; left > 0; left -= 1) {
    const [name, , precision] = nodes[at]!;
    if (name === '') throw new AppError('UNPROCESSABLE', 'A column of the file has no name: give it one.');
    if (precision > maxPrecision)
      throw new AppError(
        'UNPROCESSABLE',
        `The column ${JSON.stringify(name)} is a decimal of ${precision} digits, over the limit of ${maxPrecision}: write fewer digits, or text.`,
        { column: name },
      );
    const other = seen.get(name.toLowerCase());
    if (other !== undefined)
      throw new AppError(
        'UNPROCESSABLE',
        other === name
          ? `The file has two columns ${JSON.stringify(name)}: rename one.`
          : `The columns ${JSON.stringify(other)} and ${JSON.stringify(name)} have the same name ignoring case: rename one.`,
        { column: name },
      );
    seen.set(name.toLowerCase(), name);
    at = skip(nodes, at);
  }
}

/** The position after a node and its descendants. */
function skip(nodes: readonly (readonly [string, number, number])[], at: number): number {
  let next = at + 1;
  for (let left = nodes[at]![1]; left > 0; left -= 1) next = skip(nodes, next);
  return next;
}

function toColumn(name: string, duckDbType: string): ParquetColumn {
  const column = quoteName(name);
  const as = (type: ColumnType, toSql: string, note?: string): ParquetColumn => ({
    name,
    type,
    nullable: true,
    toSql,
    ...(note === undefined ? {} : { note }),
  });
  if (/^DECIMAL\(\d+,\d+\)$/.test(duckDbType)) return as(duckDbType.toLowerCase() as ColumnType, column);
  switch (duckDbType) {
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
      return as('int64', `${column}::BIGINT`);
    case 'UBIGINT':
      return as('decimal(20,0)', `${column}::DECIMAL(20,0)`, 'unsigned 64-bit integers, stored as decimals');
    case 'FLOAT':
    case 'DOUBLE':
      return as('double', `${column}::DOUBLE`);
    case 'BOOLEAN':
      return as('boolean', column);
    case 'DATE':
      return as('date', column);
    case 'TIMESTAMP WITH TIME ZONE':
      return as('timestamp', column);
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
      return as('timestamp', utc(column), 'times without a zone, read as UTC');
    case 'TIMESTAMP_NS':
      return as(
        'timestamp',
        utc(column),
        'times without a zone, read as UTC and rounded down to microseconds',
      );
    case 'VARCHAR':
      return as('string', column);
    case 'UUID':
    case 'TIME':
    case 'TIME WITH TIME ZONE':
    case 'INTERVAL':
      return as('string', `${column}::VARCHAR`, `${duckDbType} stored as text`);
    case 'BLOB':
      return as('binary', column);
    default:
      if (duckDbType.startsWith('ENUM(')) return as('string', `${column}::VARCHAR`);
      if (/[[\]]$|^(STRUCT|MAP|UNION)\(|^JSON$|^VARIANT$/.test(duckDbType))
        return as(
          'string',
          nameNotFinite(`to_json(${column})::VARCHAR`),
          'nested values, stored as JSON text',
        );
      throw new AppError(
        'UNPROCESSABLE',
        `The column ${JSON.stringify(name)} has the type ${duckDbType.slice(0, 100)}, which datasets do not support: write it as a decimal or as text.`,
        { column: name },
      );
  }
}

function utc(column: string): string {
  return `(${column}::TIMESTAMP AT TIME ZONE 'UTC')`;
}
