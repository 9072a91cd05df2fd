import type { DuckDBConnection } from '@duckdb/node-api';
import type { LocalTable } from '../../../../domains/datasets/reading/table-engine.ts';
import type { Column } from '../../../../domains/datasets/schema/column.ts';
import { typeOf } from '../../column-sql.ts';
import { copyToParquet } from '../../copy-parquet.ts';
import { quoteText } from '../../quote.ts';
import { openTable } from '../open-table.ts';
import type { JobLimits } from '../job-limits.ts';

/** Cells per row group, which is held in memory. */
const maxCells = 4_000_000;

/**
 * Writes all rows of a table as one Parquet file, in order, unless the table is such a file already.
 *
 * @returns the path of the file
 */
export async function writeParquet(
  table: LocalTable,
  path: string,
  limits: JobLimits,
  signal: AbortSignal,
): Promise<string> {
  using open = await openTable(table, limits, [path]);
  const [single, ...others] = table.paths;
  if (single !== undefined && others.length === 0 && (await isWhole(open.connection, single, table.columns)))
    return single;
  const groupRows = Math.min(122_880, Math.max(2_048, Math.floor(maxCells / table.columns.length)));
  await copyToParquet(
    open.connection,
    {
      query: open.select,
      columns: table.columns,
      path,
      options: `ROW_GROUP_SIZE ${groupRows}, USE_TMP_FILE false`,
    },
    signal,
  );
  return path;
}

/** Whether a file has exactly the declared columns of the table. */
async function isWhole(
  connection: DuckDBConnection,
  path: string,
  columns: readonly Column[],
): Promise<boolean> {
  const stored = await connection.run(`SELECT * FROM read_parquet(${quoteText(path)}) LIMIT 0`);
  const names = stored.columnNames();
  const wanted = new Map(columns.map(({ name, type }) => [name, typeOf(type)]));
  return (
    names.length === wanted.size &&
    names.every((name, index) => storedType(stored.columnType(index).toString()) === wanted.get(name))
  );
}

function storedType(type: string): string {
  return type === 'TIMESTAMP WITH TIME ZONE' ? 'TIMESTAMPTZ' : type;
}
