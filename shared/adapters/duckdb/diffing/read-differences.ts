import { DuckDBBlobValue, type DuckDBValue } from '@duckdb/node-api';
import type { JsonValue } from '../../../core/json/json.ts';
import type { DiffRow } from '../../../domains/datasets/diff/row-diff.ts';
import type { ColumnType } from '../../../domains/datasets/schema/column.ts';
import { toJsonValue } from '../querying/encoding/json-value.ts';
import { runQuery } from '../run-query.ts';
import { comparable, type DiffSide } from './diff-sides.ts';
import { identify, timesAfter, timesBefore, type DiffWork } from './find-differences.ts';

/** Longer texts (in code points) and binary values (in bytes) are cut. */
export const maxCellLength = 1_024;

/** Cells of both versions on a page: 1,000 rows of 50 columns. */
const maxCells = 100_000;

/** The number of rows that a page can have. */
export function limitRows(columns: number, limit: number): number {
  return Math.max(1, Math.min(limit, Math.floor(maxCells / (2 * Math.max(1, columns)))));
}

/** DuckDB's intermediate results take 16 KiB per column and more. */
const columnsAtOnce = 128;

/** One row of a page: how often each version has it, and its values in each. */
interface FoundRow {
  readonly timesBefore: number;
  readonly timesAfter: number;
  readonly before: DuckDBValue[];
  readonly after: DuckDBValue[];
  readonly differs: boolean[];
}

/** Reads a page of `differences`, with the values of both versions. */
export async function readDifferences(
  work: DiffWork,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<DiffRow[]> {
  const { connection, columns, signal } = work;
  const order = identify(work)
    .map((_, index) => `k${index} NULLS LAST`)
    .join(', ');
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE page AS SELECT row_number() OVER (ORDER BY ${order}) AS ord, * FROM
       (SELECT * FROM differences ORDER BY ${order} LIMIT ${limit} OFFSET ${offset})`,
    signal,
  );
  const before = await locateRows(work, 'before');
  const after = await locateRows(work, 'after');
  const times = await runQuery(
    connection,
    `SELECT ${timesBefore}::DOUBLE, ${timesAfter}::DOUBLE FROM page ORDER BY ord`,
    signal,
  );
  const rows = times.getRows().map(([was, is]): FoundRow => ({
    timesBefore: was as number,
    timesAfter: is as number,
    before: [],
    after: [],
    differs: [],
  }));
  for (let first = 0; first < columns.length; first += columnsAtOnce) {
    const count = Math.min(columnsAtOnce, columns.length - first);
    const places = Array.from({ length: count }, (_, index) => first + index);
    await keepColumns(work, 'before', before, places);
    await keepColumns(work, 'after', after, places);
    await readColumns(work, places, rows);
  }
  return rows.map((row) => toDiffRow(work, row));
}

/**
 * Stores the positions of the page's rows in one table, in `at_before(ord, f, n)`. Without keys there can be several equal
 * rows: the first one.
 *
 * @returns the table with only the files it needs
 */
async function locateRows(work: DiffWork, side: 'before' | 'after'): Promise<DiffSide> {
  const { connection, columns, keys, signal } = work;
  const ids = identify(work);
  const tests = ids.map((_, index) => `coalesce(bool_or(k${index} IS NULL), false)`).join(', ');
  const hasNull = (await runQuery(connection, `SELECT ${tests} FROM page`, signal)).getRows()[0] ?? [];
  // Equality lets DuckDB skip rows outside of the page's keys; null keys need IS NOT DISTINCT FROM.
  const conditions = ids.map((id, index) =>
    hasNull[index] === true ? `${id} IS NOT DISTINCT FROM k${index}` : `${id} = k${index}`,
  );
  const places = keys.length > 0 ? keys : columns.map((_, index) => index);
  const found = await runQuery(
    connection,
    `SELECT ord, min(file_index::BIGINT * 4294967296 + file_row_number)::BIGINT
     FROM (${work[side].select(places)}) JOIN page ON ${conditions.join(' AND ')} GROUP BY ord`,
    signal,
  );
  const located = (found.getRows() as [bigint, bigint][]).map(([ord, position]) => ({
    ord,
    file: Number(position >> 32n),
    row: position & 0xffff_ffffn,
  }));
  const files = [...new Set(located.map(({ file }) => file))].sort((a, b) => a - b);
  const values = located.map(({ ord, file, row }) => `(${ord}, ${files.indexOf(file)}, ${row})`);
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE at_${side} AS SELECT * FROM (VALUES ${['(-1, -1, -1)', ...values].join(', ')}) AS t(ord, f, n)`,
    signal,
  );
  return await work[side].narrow(files.map((file) => work[side].paths[file] ?? ''));
}

async function keepColumns(
  { connection, signal }: DiffWork,
  side: 'before' | 'after',
  table: DiffSide,
  places: readonly number[],
): Promise<void> {
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE rows_${side} AS SELECT ord, ${places.map((place) => `c${place}`).join(', ')}
     FROM (${table.select(places)}) JOIN at_${side} ON file_index = f AND file_row_number = n`,
    signal,
  );
}

/** Adds the values of some columns to the rows. */
async function readColumns(
  work: DiffWork,
  places: readonly number[],
  rows: readonly FoundRow[],
): Promise<void> {
  const differs = places.map((place) => {
    const column = work.columns[place] ?? { name: '' };
    return `${comparable(column, `b.c${place}`)} IS DISTINCT FROM ${comparable(column, `a.c${place}`)}`;
  });
  const selected = [
    ...differs,
    ...places.map((place) => shorten(work.before.types[place], `b.c${place}`)),
    ...places.map((place) => shorten(work.after.types[place], `a.c${place}`)),
  ];
  const result = await runQuery(
    work.connection,
    `SELECT ${selected.join(', ')}
     FROM page LEFT JOIN rows_before b USING (ord) LEFT JOIN rows_after a USING (ord) ORDER BY ord`,
    work.signal,
  );
  const count = places.length;
  for (const [index, values] of result.getRows().entries()) {
    rows[index]?.differs.push(...(values.slice(0, count) as boolean[]));
    rows[index]?.before.push(...values.slice(count, 2 * count));
    rows[index]?.after.push(...values.slice(2 * count));
  }
}

/** Keeps one more than the limit, so that a cut is noticed. */
function shorten(type: ColumnType | undefined, cell: string): string {
  if (type === 'string') return `left(${cell}, ${maxCellLength + 1})`;
  return type === 'binary' ? `array_slice(${cell}, 1, ${maxCellLength + 1})` : cell;
}

function toDiffRow({ columns, keys }: DiffWork, row: FoundRow): DiffRow {
  const { timesBefore: before, timesAfter: after } = row;
  const cut = new Set<string>();
  const read = (values: readonly DuckDBValue[]) => (index: number) => {
    const { cell, isCut } = cutCell(values[index] ?? null);
    if (isCut) cut.add(columns[index]?.name ?? '');
    return cell;
  };
  const [old, fresh] = [read(row.before), read(row.after)];
  const places = columns.map((_, index) => index);
  const isChanged = keys.length > 0 && before === 1 && after === 1;
  const found: DiffRow = isChanged
    ? {
        kind: 'changed',
        key: keys.map(fresh),
        changes: columns.flatMap(({ name }, index) =>
          row.differs[index] === true ? [{ column: name, before: old(index), after: fresh(index) }] : [],
        ),
      }
    : before > after
      ? { kind: 'removed', row: places.map(old), before, after }
      : { kind: 'added', row: places.map(fresh), before, after };
  return cut.size > 0 ? { ...found, cutColumns: [...cut] } : found;
}

function cutCell(value: DuckDBValue): { readonly cell: JsonValue; readonly isCut: boolean } {
  if (typeof value === 'string' && value.length > maxCellLength) {
    const points = Array.from(value);
    return { cell: points.slice(0, maxCellLength).join(''), isCut: points.length > maxCellLength };
  }
  if (value instanceof DuckDBBlobValue && value.bytes.length > maxCellLength)
    return { cell: Buffer.from(value.bytes.subarray(0, maxCellLength)).toString('base64'), isCut: true };
  // -0 equals 0.
  return { cell: value === 0 ? 0 : toJsonValue(value), isCut: false };
}
