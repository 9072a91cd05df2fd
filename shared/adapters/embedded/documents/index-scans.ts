import type { Database, SqlValue } from './database.ts';
import type { FieldRange } from './ranges.ts';

/** Where a query looks: a whole container, or one of its partitions. */
export interface Scope {
  readonly container: string;
  readonly partitionId?: number;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** A place along a field's index. */
export interface FieldPlace {
  readonly value: SqlValue;
  readonly seq: number;
}

/** What narrows a scan down besides its own index. */
export interface Narrowing {
  /** Asked of `f.seq`, of each row before its document is read. */
  readonly test: Statement;
  /** The scan ends with this row; left out: with the last. */
  readonly upTo?: FieldPlace;
}

const documentColumns = `d.seq, p.name AS partition, d.id, d.etag, d.expires_at AS expiresAt,
  d.size_bytes AS sizeBytes, d.body`;

/** Documents in order of creation, after one of them. */
export function scanDocuments(database: Database, scope: Scope, afterSeq: number): Iterable<unknown> {
  const { sql, values } = scanDocumentsSql(scope, afterSeq);
  return database.iterate(sql, ...values);
}

export function scanDocumentsSql(scope: Scope, afterSeq: number): Statement {
  const { index, column, value } = documentIndex(scope);
  return {
    sql: `SELECT ${documentColumns} FROM documents d INDEXED BY ${index}
      CROSS JOIN partitions p ON p.partition_id = d.partition_id
      WHERE d.${column} = ? AND d.seq > ? ORDER BY d.seq`,
    values: [value, afterSeq],
  };
}

/** The numbers of documents in order of creation that pass a test (asked of `f.seq`). */
export function scanNumbers(
  database: Database,
  scope: Scope,
  part: {
    readonly after: number;
    readonly upTo: number | undefined;
    readonly test: Statement;
    readonly limit: number;
  },
): readonly number[] {
  const { index, column, value } = documentIndex(scope);
  const rows = database.all(
    `SELECT f.seq FROM documents f INDEXED BY ${index}
      WHERE f.${column} = ? AND f.seq > ? AND f.seq <= ? AND ${part.test.sql} ORDER BY f.seq LIMIT ?`,
    value,
    part.after,
    part.upTo ?? Number.MAX_SAFE_INTEGER,
    ...part.test.values,
    part.limit,
  );
  return rows.map((row) => row['seq'] as number);
}

/** @returns the number of the document that is so many further on; undefined when there are not so many. */
export function numberAhead(
  database: Database,
  scope: Scope,
  after: number,
  rows: number,
): number | undefined {
  const { index, column, value } = documentIndex(scope);
  const sql = `SELECT f.seq FROM documents f INDEXED BY ${index}
    WHERE f.${column} = ? AND f.seq > ? ORDER BY f.seq LIMIT 1 OFFSET ?`;
  return database.get(sql, value, after, rows)?.['seq'] as number | undefined;
}

function documentIndex(scope: Scope) {
  return scope.partitionId === undefined
    ? { index: 'documents_by_container', column: 'container', value: scope.container }
    : { index: 'documents_by_partition', column: 'partition_id', value: scope.partitionId };
}

/** @returns the place of the row that is so many rows further on; undefined when the index ends before. */
export function placeAhead(
  database: Database,
  scope: Scope,
  range: FieldRange,
  ascending: boolean,
  after: FieldPlace | undefined,
  rows: number,
): FieldPlace | undefined {
  const { where, order, values } = along(scope, range, ascending, after);
  const sql = `SELECT f.value, f.seq FROM fields f WHERE ${where} ORDER BY ${order} LIMIT 1 OFFSET ?`;
  return database.get(sql, ...values, rows) as FieldPlace | undefined;
}

/** Documents along one field's index, after a position in it. */
export function scanField(
  database: Database,
  scope: Scope,
  range: FieldRange,
  ascending: boolean,
  after: FieldPlace | undefined,
  narrowing?: Narrowing,
): Iterable<unknown> {
  const { sql, values } = scanFieldSql(scope, range, ascending, after, narrowing);
  return database.iterate(sql, ...values);
}

export function scanFieldSql(
  scope: Scope,
  range: FieldRange,
  ascending: boolean,
  after: FieldPlace | undefined,
  narrowing?: Narrowing,
): Statement {
  const { where, order, values } = along(scope, range, ascending, after);
  const { test, upTo } = narrowing ?? {};
  const conditions = [
    where,
    ...(upTo === undefined ? [] : [`(f.value, f.seq) ${ascending ? '<=' : '>='} (?, ?)`]),
    ...(test === undefined ? [] : [test.sql]),
  ];
  return {
    sql: `SELECT ${documentColumns} FROM fields f
      CROSS JOIN documents d ON d.seq = f.seq
      CROSS JOIN partitions p ON p.partition_id = d.partition_id
      WHERE ${conditions.join(' AND ')} ORDER BY ${order}`,
    values: [
      ...values,
      ...(upTo === undefined ? [] : [upTo.value, upTo.seq]),
      ...(test === undefined ? [] : test.values),
    ],
  };
}

/** A stretch of a field's index, in its order, after a place in it. */
function along(scope: Scope, range: FieldRange, ascending: boolean, after: FieldPlace | undefined) {
  const direction = ascending ? 'ASC' : 'DESC';
  // The place lies within the range, so it stands for the bound that it has passed.
  const { lower, upper, ...whole } = range;
  const ahead: FieldRange =
    after === undefined
      ? range
      : ascending
        ? { ...whole, ...(upper && { upper }) }
        : { ...whole, ...(lower && { lower }) };
  const { sql, values } = whereRange(scope, ahead);
  return {
    where: after === undefined ? sql : `${sql} AND (f.value, f.seq) ${ascending ? '>' : '<'} (?, ?)`,
    order: `f.value ${direction}, f.seq ${direction}`,
    values: after === undefined ? values : [...values, after.value, after.seq],
  };
}

/** The documents' numbers within a range, from the index alone. */
export function scanRange(
  database: Database,
  scope: Scope,
  range: FieldRange,
): Iterable<Record<string, unknown>> {
  const { sql, values } = scanRangeSql(scope, range);
  return database.iterate(sql, ...values);
}

export function scanRangeSql(scope: Scope, range: FieldRange): Statement {
  const where = whereRange(scope, range);
  return { sql: `SELECT f.seq FROM fields f WHERE ${where.sql}`, values: where.values };
}

/** @returns how many index rows the range has, counted no further than `limit`. */
export function countRange(database: Database, scope: Scope, range: FieldRange, limit: number): number {
  const { sql, values } = countRangeSql(scope, range, limit);
  return database.get(sql, ...values)?.['count'] as number;
}

export function countRangeSql(scope: Scope, range: FieldRange, limit: number): Statement {
  const where = whereRange(scope, range);
  return {
    sql: `SELECT count(*) AS count FROM (SELECT 1 FROM fields f WHERE ${where.sql} LIMIT ?)`,
    values: [...where.values, limit],
  };
}

export function readDocument(database: Database, seq: number): Record<string, unknown> | undefined {
  return database.get(
    `SELECT ${documentColumns} FROM documents d
      CROSS JOIN partitions p ON p.partition_id = d.partition_id WHERE d.seq = ?`,
    seq,
  );
}

/** A path that no document has gives NULL, which nothing equals. */
export function whereRange(scope: Scope, range: FieldRange): Statement {
  const conditions = [
    'f.path_id = (SELECT path_id FROM paths WHERE container = ? AND path = ?)',
    'f.type = ?',
  ];
  const values: SqlValue[] = [scope.container, range.path, range.type];
  if (scope.partitionId !== undefined) {
    conditions.unshift('f.partition_id = ?');
    values.unshift(scope.partitionId);
  }
  if (range.lower !== undefined) {
    conditions.push(`f.value ${range.lower.inclusive ? '>=' : '>'} ?`);
    values.push(range.lower.value);
  }
  if (range.upper !== undefined) {
    conditions.push(`f.value ${range.upper.inclusive ? '<=' : '<'} ?`);
    values.push(range.upper.value);
  }
  return { sql: conditions.join(' AND '), values };
}
