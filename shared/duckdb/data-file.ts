import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnStats, LocalDataFile } from '../datasets/ingestion/ports.ts';
import type { Column } from '../datasets/schema/column.ts';
import { quoteName, quoteText } from './quote.ts';
import { runQuery } from './run-query.ts';

/** Delta keeps statistics of so many columns; those of others would be read by nobody. */
const maxStatsColumns = 32;
/** One code point more than Delta keeps: enough to see that a text goes on. */
const maxStatsChars = 33;

/** A Parquet file that was just written: its hash, and what Delta's log says of it. */
export async function describeDataFile(
  connection: DuckDBConnection,
  path: string,
  columns: readonly Column[],
  signal: AbortSignal,
): Promise<LocalDataFile> {
  const described = columns.slice(0, maxStatsColumns);
  const figures = described.flatMap(({ name, type }) => {
    const column = quoteName(name);
    return [`count(${column})::DOUBLE`, bound('min', column, type), bound('max', column, type)];
  });
  const result = await runQuery(
    connection,
    `SELECT ${['count(*)::DOUBLE', ...figures].join(', ')} FROM read_parquet(${quoteText(path)})`,
    signal,
  );
  const [values = []] = result.getRows();
  const rows = values[0] as number;
  const stats = described.map(({ name }, index): ColumnStats => {
    const [count, min, max] = values.slice(1 + index * 3, 4 + index * 3) as [
      number,
      string | null,
      string | null,
    ];
    return {
      column: name,
      nulls: rows - count,
      ...(min === null ? {} : { min }),
      ...(max === null ? {} : { max }),
    };
  });
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes as Uint8Array);
  const { size: sizeBytes } = await stat(path);
  return { path, sha256: hash.digest('hex'), sizeBytes, rows, stats: { columns: stats } };
}

/** A column's least or greatest value as exact text; null where Delta wants none. */
function bound(which: 'min' | 'max', column: string, type: Column['type']): string {
  switch (type) {
    case 'boolean':
    case 'binary':
      return 'NULL';
    case 'double':
    case 'date':
      return `CASE WHEN bool_and(isfinite(${column})) THEN ${which}(${column})::VARCHAR END`;
    case 'timestamp':
      return `CASE WHEN bool_and(isfinite(${column})) THEN (${which}(${column}) AT TIME ZONE 'UTC')::VARCHAR END`;
    case 'string':
      return `left(${which}(${column}), ${maxStatsChars})`;
    default:
      return `${which}(${column})::VARCHAR`;
  }
}
