import type { Database, SqlValue } from './database.ts';
import type { FieldRange } from './ranges.ts';

/** Where a query looks: a whole container, or one of its partitions. */
export interface Scope {
  readonly container: string;
  readonly partitionId?: number;
}

interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

const documentColumns = `d.seq, p.name AS partition, d.id, d.etag, d.expires_at AS expiresAt,
  d.size_bytes AS sizeBytes, d.body`;

/** Documents in order of creation, after one of them. */
export function scanDocuments(database: Database, scope: Scope, afterSeq: number): Iterable<unknown> {
  const { sql, values } = scanDocumentsSql(scope, afterSeq);
  return database.iterate(sql, ...values);
}

export function scanDocumentsSql(scope: Scope, afterSeq: number): Statement {
  const [index, column, value] =
    scope.partitionId === undefined
      ? ['documents_by_container', 'container', scope.container]
      : ['documents_by_partition', 'partition_id', scope.partitionId];
  return {
    sql: `SELECT ${documentColumns} FROM documents d INDEXED BY ${index}
      CROSS JOIN partitions p ON p.partition_id = d.partition_id
      WHERE d.${column} = ? AND d.seq > ? ORDER BY d.seq`,
    values: [value, afterSeq],
  };
}

/** Documents along one field's index, after a position in it. */
export function scanField(
  database: Database,
  scope: Scope,
  range: FieldRange,
  ascending: boolean,
  after: { readonly value: SqlValue; readonly seq: number } | undefined,
): Iterable<unknown> {
  const { sql, values } = scanFieldSql(scope, range, ascending, after);
  return database.iterate(sql, ...values);
}

export function scanFieldSql(
  scope: Scope,
  range: FieldRange,
  ascending: boolean,
  after: { readonly value: SqlValue; readonly seq: number } | undefined,
): Statement {
  const order = ascending ? 'ASC' : 'DESC';
  // The position lies within the range, so it stands for the bound that it has passed.
  const { lower, upper, ...whole } = range;
  const ahead: FieldRange =
    after === undefined
      ? range
      : ascending
        ? { ...whole, ...(upper && { upper }) }
        : { ...whole, ...(lower && { lower }) };
  const where = whereRange(scope, ahead);
  return {
    sql: `SELECT ${documentColumns} FROM fields f
      CROSS JOIN documents d ON d.seq = f.seq
      CROSS JOIN partitions p ON p.partition_id = d.partition_id
      WHERE ${where.sql}${after === undefined ? '' : ` AND (f.value, f.seq) ${ascending ? '>' : '<'} (?, ?)`}
      ORDER BY f.value ${order}, f.seq ${order}`,
    values: after === undefined ? where.values : [...where.values, after.value, after.seq],
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
function whereRange(scope: Scope, range: FieldRange): Statement {
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
