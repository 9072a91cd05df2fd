import type { Database, SqlValue } from './database.ts';
import type { FieldRange } from './ranges.ts';

/** The range of a query: a container, or one of its partitions. */
export interface Scope {
  readonly container: string;
  readonly partitionId?: number;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** A row of a field's index. */
export interface FieldPlace {
  readonly value: SqlValue;
  readonly seq: number;
}

/** Further conditions of a scan. */
export interface Narrowing {
  /** A condition on `f.seq`, tested before the document is read. */
  readonly test: Statement;
  /** The last row of the scan; default: the end of the index. */
  readonly upTo?: FieldPlace;
}

export interface DocumentRow {
  readonly seq: number;
  readonly partition: string;
  readonly id: string;
  readonly etag: string;
  readonly expiresAt: number | null;
  readonly sizeBytes: number;
  readonly body: string;
}

type SeqRow = Pick<DocumentRow, 'seq'>;

const documentColumns = `d.seq, p.name AS partition, d.id, d.etag, d.expires_at AS expiresAt,
  d.size_bytes AS sizeBytes, d.body`;

/** Reads documents in order of creation, after one of them. */
export function scanDocuments(database: Database, scope: Scope, afterSeq: number): Iterable<DocumentRow> {
  const { sql, values } = scanDocumentsSql(scope, afterSeq);
  return database.prepare<DocumentRow>(sql).iterate(...values);
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

/** Finds documents that pass a test (on `f.seq`), in order of creation. */
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
  const rows = database
    .prepare<SeqRow>(
      `SELECT f.seq FROM documents f INDEXED BY ${index}
      WHERE f.${column} = ? AND f.seq > ? AND f.seq <= ? AND ${part.test.sql} ORDER BY f.seq LIMIT ?`,
    )
    .all(value, part.after, part.upTo ?? Number.MAX_SAFE_INTEGER, ...part.test.values, part.limit);
  return rows.map(({ seq }) => seq);
}

/** @returns the document `rows` further on; undefined when there are fewer */
export function numberAhead(
  database: Database,
  scope: Scope,
  after: number,
  rows: number,
): number | undefined {
  const { index, column, value } = documentIndex(scope);
  const sql = `SELECT f.seq FROM documents f INDEXED BY ${index}
    WHERE f.${column} = ? AND f.seq > ? ORDER BY f.seq LIMIT 1 OFFSET ?`;
  return database.prepare<SeqRow>(sql).get(value, after, rows)?.seq;
}

function documentIndex(scope: Scope) {
  return scope.partitionId === undefined
    ? { index: 'documents_by_container', column: 'container', value: scope.container }
    : { index: 'documents_by_partition', column: 'partition_id', value: scope.partitionId };
}

/** @returns the row of the index `rows` further on; undefined when the index ends before */
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
  return database.prepare<FieldPlace>(sql).get(...values, rows);
}

/** Reads documents along a field's index, after a row of it. */
export function scanField(
  database: Database,
  scope: Scope,
  range: FieldRange,
  ascending: boolean,
  after: FieldPlace | undefined,
  narrowing?: Narrowing,
): Iterable<DocumentRow> {
  const { sql, values } = scanFieldSql(scope, range, ascending, after, narrowing);
  return database.prepare<DocumentRow>(sql).iterate(...values);
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

/** The rows of a field's index in a range, in order, after one of them. */
function along(scope: Scope, range: FieldRange, ascending: boolean, after: FieldPlace | undefined) {
  const direction = ascending ? 'ASC' : 'DESC';
  // The row is within the range, so it replaces the bound behind it.
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

/** Finds the documents in a range, from the index alone. */
export function scanRange(database: Database, scope: Scope, range: FieldRange): Iterable<SeqRow> {
  const { sql, values } = scanRangeSql(scope, range);
  return database.prepare<SeqRow>(sql).iterate(...values);
}

export function scanRangeSql(scope: Scope, range: FieldRange): Statement {
  const where = whereRange(scope, range);
  return { sql: `SELECT f.seq FROM fields f WHERE ${where.sql}`, values: where.values };
}

/** @returns the number of index rows in the range, at most `limit` */
export function countRange(database: Database, scope: Scope, range: FieldRange, limit: number): number {
  const { sql, values } = countRangeSql(scope, range, limit);
  return database.prepare<{ readonly count: number }>(sql).get(...values)!.count;
}

export function countRangeSql(scope: Scope, range: FieldRange, limit: number): Statement {
  const where = whereRange(scope, range);
  return {
    sql: `SELECT count(*) AS count FROM (SELECT 1 FROM fields f WHERE ${where.sql} LIMIT ?)`,
    values: [...where.values, limit],
  };
}

export function readDocument(database: Database, seq: number): DocumentRow | undefined {
  return database
    .prepare<DocumentRow>(
      `SELECT ${documentColumns} FROM documents d
      CROSS JOIN partitions p ON p.partition_id = d.partition_id WHERE d.seq = ?`,
    )
    .get(seq);
}

/** For an unknown path the subquery is NULL, so the condition selects no row. */
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
