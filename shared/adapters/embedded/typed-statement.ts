import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** A prepared statement and the type of its rows, which the driver knows only as records of values. */
export interface TypedStatement<Row> {
  get(...values: readonly SQLInputValue[]): Row | undefined;
  all(...values: readonly SQLInputValue[]): readonly Row[];
  iterate(...values: readonly SQLInputValue[]): Iterable<Row>;
  run: StatementSync['run'];
}

/** Prepares a statement. The caller vouches that the columns it selects make a `Row`. */
export function prepare<Row = never>(db: DatabaseSync, sql: string): TypedStatement<Row> {
  return db.prepare(sql) as unknown as TypedStatement<Row>;
}
