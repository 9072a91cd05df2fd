import type { DuckDBValue } from '@duckdb/node-api';
import type { JsonValue } from '../../core/json.ts';
import type { DiffRow } from '../../datasets/diff/row-diff.ts';
import { toJsonValue } from '../querying/json-value.ts';
import { runQuery } from '../run-query.ts';
import { comparable } from './diff-sides.ts';
import { identify, timesAfter, timesBefore, type DiffWork } from './find-differences.ts';

/** Longer texts, in code points, and binary values, in bytes, are cut. */
export const maxCellLength = 1_024;

/** Of both versions' rows on a page: 1,000 rows of 50 columns. */
const maxCells = 100_000;

/** How many rows a page can have at most, whatever is asked for. */
export function limitRows(columns: number, limit: number): number {
  return Math.max(1, Math.min(limit, Math.floor(maxCells / (2 * Math.max(1, columns)))));
}

/** The rows of a page of `differences`, each with the values of both versions. */
export async function readDifferences(
  work: DiffWork,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<DiffRow[]> {
  const { connection, columns, signal } = work;
  const ids = identify(work);
  const names = ids.map((_, index) => `k${index}`);
  const order = names.map((name) => `${name} NULLS LAST`).join(', ');
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE page AS SELECT row_number() OVER (ORDER BY ${order}) AS ord, * FROM
       (SELECT * FROM differences ORDER BY ${order} LIMIT ${limit} OFFSET ${offset})`,
    signal,
  );
  await keepRows(work, 'before');
  await keepRows(work, 'after');
  const cells = (table: string) => columns.map((_, index) => `${table}.c${index}`);
  const differs = columns.map(
    (column, index) =>
      `${comparable(column, `b.c${index}`)} IS DISTINCT FROM ${comparable(column, `a.c${index}`)}`,
  );
  const result = await runQuery(
    connection,
    `SELECT ${timesBefore}::DOUBLE, ${timesAfter}::DOUBLE, [${differs.join(', ')}],
       ${[...shorten(work, 'before', cells('b')), ...shorten(work, 'after', cells('a'))].join(', ')}
     FROM page LEFT JOIN rows_before b USING (ord) LEFT JOIN rows_after a USING (ord) ORDER BY ord`,
    signal,
  );
  return result.getRows().map((row) => toDiffRow(work, row));
}

/** Rows of one table that are on the page, one each: with keys there is one, without keys they are all equal. */
async function keepRows(work: DiffWork, side: 'before' | 'after'): Promise<void> {
  const { connection, columns, keys, signal } = work;
  const ids = identify(work);
  const cells = columns.map((_, index) => `c${index}`);
  const hasNull = await readHasNull(work, ids.length);
  // Equality lets DuckDB skip what lies outside of the page's keys; with null in them it cannot be used.
  const conditions = ids.map((id, index) =>
    hasNull[index] === true ? `${id} IS NOT DISTINCT FROM k${index}` : `${id} = k${index}`,
  );
  const found = `SELECT ord, ${cells.join(', ')} FROM (${work[side].select}) JOIN page ON ${conditions.join(' AND ')}`;
  const once = `SELECT ord, ${cells.map((cell) => `any_value(${cell}) AS ${cell}`).join(', ')} FROM (${found}) GROUP BY ord`;
  await runQuery(
    connection,
    `CREATE OR REPLACE TEMP TABLE rows_${side} AS ${keys.length > 0 ? found : once}`,
    signal,
  );
}

async function readHasNull({ connection, signal }: DiffWork, ids: number): Promise<readonly boolean[]> {
  const tests = Array.from({ length: ids }, (_, index) => `coalesce(bool_or(k${index} IS NULL), false)`);
  const result = await runQuery(connection, `SELECT ${tests.join(', ')} FROM page`, signal);
  return (result.getRows()[0] ?? []) as boolean[];
}

/** One more than may be kept, so that what goes on is known. */
function shorten(work: DiffWork, side: 'before' | 'after', cells: readonly string[]): string[] {
  return cells.map((cell, index) => {
    const type = work[side].types[index];
    if (type === 'string') return `left(${cell}, ${maxCellLength + 1})`;
    return type === 'binary' ? `array_slice(${cell}, 1, ${maxCellLength + 1})` : cell;
  });
}

function toDiffRow({ columns, keys }: DiffWork, row: readonly DuckDBValue[]): DiffRow {
  const [before, after, differs, ...values] = row as [
    number,
    number,
    { items: readonly boolean[] },
    ...DuckDBValue[],
  ];
  const cut = new Set<string>();
  const read = (value: DuckDBValue | undefined, index: number): JsonValue => {
    const { cell, isCut } = cutCell(value ?? null);
    if (isCut) cut.add(columns[index]?.name ?? '');
    return cell;
  };
  const count = columns.length;
  const old = (index: number) => read(values[index], index);
  const fresh = (index: number) => read(values[count + index], index);
  const isChanged = keys.length > 0 && before === 1 && after === 1;
  const told: DiffRow = isChanged
    ? {
        kind: 'changed',
        key: keys.map(fresh),
        changes: columns.flatMap(({ name }, index) =>
          differs.items[index] === true ? [{ column: name, before: old(index), after: fresh(index) }] : [],
        ),
      }
    : before > after
      ? { kind: 'removed', row: columns.map((_, index) => old(index)), before, after }
      : { kind: 'added', row: columns.map((_, index) => fresh(index)), before, after };
  return cut.size > 0 ? { ...told, cutColumns: [...cut] } : told;
}

function cutCell(value: DuckDBValue): { readonly cell: JsonValue; readonly isCut: boolean } {
  if (typeof value === 'string' && value.length > maxCellLength) {
    const points = Array.from(value);
    return { cell: points.slice(0, maxCellLength).join(''), isCut: points.length > maxCellLength };
  }
  // Not -0, which is the same.
  const cell = value === 0 ? 0 : toJsonValue(value);
  // Base64 of one byte more than is kept.
  const whole =
    typeof cell === 'string' && typeof value === 'object' && cell.length > (maxCellLength / 3) * 4 + 1;
  return whole
    ? { cell: Buffer.from(cell, 'base64').subarray(0, maxCellLength).toString('base64'), isCut: true }
    : { cell, isCut: false };
}
