import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../../../core/errors.ts';
import type { DiffColumn } from '../../../domains/datasets/diff/row-diff.ts';
import type { LocalTable } from '../../../domains/datasets/reading/table-engine.ts';
import type { ColumnType } from '../../../domains/datasets/schema/column.ts';
import { typeOf } from '../column-sql.ts';
import { countRows, openSource } from '../table-source.ts';

/** One of two tables, with the columns `c0`, `c1`… of both. */
export interface DiffSide {
  readonly paths: readonly string[];
  readonly rows: number;
  /** A query for columns by position. Also selects `file_index` and `file_row_number`. */
  select(places: readonly number[]): string;
  /** The same table with fewer files. */
  narrow(paths: readonly string[]): Promise<DiffSide>;
  /** The type of each column; the other table's if this one lacks the column. */
  readonly types: readonly ColumnType[];
}

/** The columns of the later version, then those of the earlier one alone. */
export function joinColumns(before: LocalTable, after: LocalTable): readonly DiffColumn[] {
  const was = new Map(before.columns.map(({ name, type }) => [name, type]));
  const is = new Set(after.columns.map(({ name }) => name));
  return [
    ...after.columns.map(({ name, type }) => {
      const old = was.get(name);
      return { name, ...(old === undefined ? {} : { before: old }), after: type };
    }),
    ...before.columns.filter(({ name }) => !is.has(name)).map(({ name, type }) => ({ name, before: type })),
  ];
}

/** The positions of the keys among the columns. @throws AppError INVALID_ARGUMENT for an invalid key */
export function findKeys(columns: readonly DiffColumn[], keys: readonly string[]): readonly number[] {
  if (new Set(keys).size !== keys.length)
    throw new AppError('INVALID_ARGUMENT', 'A key column is listed twice.', { keys });
  return keys.map((key) => {
    const index = columns.findIndex(({ name }) => name === key);
    const column = columns[index];
    if (column?.before === undefined || column.after === undefined)
      throw new AppError('INVALID_ARGUMENT', `The key "${key}" must be a column of both versions.`, { key });
    if (column.before !== column.after)
      throw new AppError(
        'INVALID_ARGUMENT',
        `The key "${key}" has the type ${column.before} in one version and ${column.after} in the other: choose another key.`,
        { key, before: column.before, after: column.after },
      );
    return index;
  });
}

export async function openSide(
  connection: DuckDBConnection,
  table: LocalTable,
  columns: readonly DiffColumn[],
  side: 'before' | 'after',
  signal: AbortSignal | undefined,
): Promise<DiffSide> {
  const source = await openSource(connection, table.paths, signal);
  const other = side === 'before' ? 'after' : 'before';
  const types = columns.map((column) => column[side] ?? column[other] ?? 'string');
  const read = (place: number) => {
    const { name, [side]: type } = columns[place] ?? { name: '' };
    // A file may still hold a column that the version no longer has.
    if (type === undefined) return `NULL::${typeOf(types[place] ?? 'string')}`;
    return source.read({ name, type, nullable: true });
  };
  return {
    paths: table.paths,
    rows: await countRows(connection, source, signal),
    types,
    select: (places) => {
      const selected = places.map((place) => `${read(place)} AS c${place}`);
      return `SELECT ${[...selected, 'file_index', 'file_row_number'].join(', ')} FROM ${source.from}`;
    },
    narrow: (paths) => openSide(connection, { ...table, paths }, columns, side, signal),
  };
}

/** Casts a column to text if its type differs between the versions. */
export function comparable({ before, after }: DiffColumn, expression: string): string {
  const isRetyped = before !== undefined && after !== undefined && before !== after;
  return isRetyped ? `${expression}::VARCHAR` : expression;
}
