import type { DuckDBResult } from '@duckdb/node-api';
import type {
  JsonRows,
  QueryRequest,
  QueryResult,
} from '../../../../domains/datasets/reading/table-engine.ts';
import { quoteName } from '../../quote.ts';
import { readChunks } from '../../read-chunks.ts';
import { checkSelect } from './check-sql.ts';
import { translateQueryError } from '../errors.ts';
import { toJsonValue, typeName } from '../encoding/json-value.ts';
import { openTable } from '../open-table.ts';
import type { JobLimits } from '../job-limits.ts';
import { RowCollector } from './row-collector.ts';
import { interruptOn } from '../../interrupt.ts';

/** Runs a caller's SELECT over a table. Streams the rows, and stops at the limits. */
export async function runQuery(
  { table, sql, names, maxRows, maxBytes }: QueryRequest,
  limits: JobLimits,
  signal: AbortSignal,
): Promise<QueryResult> {
  using open = await openTable(table, limits);
  const { connection } = open;
  using _interrupt = interruptOn(signal, connection);
  for (const name of new Set(names)) await connection.run(`CREATE VIEW ${quoteName(name)} AS ${open.select}`);
  try {
    await checkSelect(connection, sql, names);
    const result = await connection.stream(sql);
    const collector = new RowCollector(maxRows, maxBytes);
    const rows = await collect(result, collector, signal);
    const columns = result
      .columnNames()
      .map((name, index) => ({ name, type: typeName(result.columnType(index)) }));
    return collector.cutBy === undefined ? { columns, rows } : { columns, rows, cutBy: collector.cutBy };
  } catch (error) {
    throw translateQueryError(error, [...table.paths, `${limits.folder}/x`]);
  }
}

async function collect(
  result: DuckDBResult,
  collector: RowCollector,
  signal: AbortSignal,
): Promise<JsonRows> {
  for await (const chunk of readChunks(result, signal)) {
    const columns = Array.from({ length: chunk.columnCount }, (_, index) => chunk.getColumnVector(index));
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const values = columns.map((column) => toJsonValue(column.getItem(row)));
      if (!collector.add(JSON.stringify(values))) return collector.finish();
    }
  }
  return collector.finish();
}
