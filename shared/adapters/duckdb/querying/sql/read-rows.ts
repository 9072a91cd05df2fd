import { AppError } from '../../../../core/errors.ts';
import type { RowsRequest, RowsResult } from '../../../../domains/datasets/reading/table-engine.ts';
import type { Column } from '../../../../domains/datasets/schema/column.ts';
import { quoteName } from '../../quote.ts';
import { readChunks } from '../../read-chunks.ts';
import { checkCondition, wrapCondition } from './check-sql.ts';
import { translateQueryError } from '../errors.ts';
import { interruptOn } from '../../interrupt.ts';
import { openTable } from '../open-table.ts';
import type { JobLimits } from '../job-limits.ts';
import { RowCollector } from './row-collector.ts';
import { jsonTextOf } from '../encoding/text-of.ts';
import { listRows, selectColumns, wideColumns, writeJsonArray } from '../encoding/wide-rows.ts';

/** Reads rows of a table in order, as JSON. DuckDB writes the text, about ten times faster than value by value. */
export async function readRows(
  request: RowsRequest,
  limits: JobLimits,
  signal: AbortSignal,
): Promise<RowsResult> {
  const { table, where, maxRows, maxBytes, canBeEmpty } = request;
  using open = await openTable(table, limits);
  const { connection } = open;
  using _interrupt = interruptOn(signal, connection);
  try {
    if (where !== undefined) await checkCondition(connection, where);
    const isWide = request.columns.length >= wideColumns;
    const result = await connection.stream(buildSql(request, open.select, isWide));
    const collector = new RowCollector(maxRows, maxBytes, canBeEmpty);
    let next = request.skip ?? 0;
    for await (const chunk of readChunks(result, signal)) {
      for (const [number, ...values] of listRows(chunk, chunk.columnCount)) {
        const text = isWide ? writeJsonArray(values) : (values[0] as string);
        if (!collector.add(text)) return { rows: collector.finish(), next };
        next = Number(number) + 1;
      }
    }
    return { rows: collector.finish() };
  } catch (error) {
    throw translateQueryError(error, [...table.paths, `${limits.folder}/x`]);
  }
}

function buildSql(
  { table, columns, where, skip = 0, only, maxRows }: RowsRequest,
  select: string,
  isWide: boolean,
): string {
  const number = quoteName(unusedName(table.columns));
  const known = new Map(table.columns.map((column) => [column.name, column]));
  const wanted = columns.map((name) => requireColumn(known, name));
  const values = isWide
    ? selectColumns(wanted)
    : `'[' || concat_ws(',', ${wanted.map((column) => jsonTextOf(column)).join(', ')}) || ']'`;
  const conditions = [`${number} >= ${skip}`];
  if (only) conditions.push(`${number} IN (SELECT unnest([${only.join(', ')}]::BIGINT[]))`);
  if (where !== undefined) conditions.push(wrapCondition(where));
  const numbered = `SELECT *, row_number() OVER () - 1 AS ${number} FROM (${select})`;
  // One extra row shows whether there are more.
  return `SELECT ${number}, ${values} FROM (${numbered}) AS data WHERE ${conditions.join(' AND ')}${only ? ` ORDER BY ${number}` : ''} LIMIT ${maxRows + 1}`;
}

/** @throws INVALID_ARGUMENT naming the existing columns */
function requireColumn(known: ReadonlyMap<string, Column>, name: string): Column {
  const column = known.get(name);
  if (column) return column;
  const names = [...known.keys()].slice(0, 50).join(', ');
  throw new AppError('INVALID_ARGUMENT', `There is no column "${name}". The columns are: ${names}.`, {
    column: name,
  });
}

function unusedName(columns: readonly Column[]): string {
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  let name = 'slipway_row';
  while (names.has(name)) name += '_';
  return name;
}
