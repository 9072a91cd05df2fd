import type { ColumnType } from '../../domains/datasets/schema/column.ts';

/** DuckDB's type for a column. */
export function typeOf(type: ColumnType): string {
  switch (type) {
    case 'int64':
      return 'BIGINT';
    case 'double':
      return 'DOUBLE';
    case 'boolean':
      return 'BOOLEAN';
    case 'date':
      return 'DATE';
    case 'timestamp':
      return 'TIMESTAMPTZ';
    case 'string':
      return 'VARCHAR';
    case 'binary':
      return 'BLOB';
    default:
      return type.toUpperCase();
  }
}

/** Days since 1970-01-01. Infinite dates are ±2147483647 (`epoch_us` and `date_diff` would return null). */
export function daysOf(date: string): string {
  return `(${date} - DATE '1970-01-01')`;
}

/** Microseconds since 1970-01-01T00:00:00Z. Infinite timestamps are ±(2^63 - 1), as they are stored. */
export function microsOf(moment: string): string {
  const infinite = `CASE WHEN ${moment} > 'epoch'::TIMESTAMPTZ THEN 9223372036854775807 WHEN ${moment} IS NOT NULL THEN -9223372036854775807 END`;
  return `coalesce(epoch_us(${moment}), ${infinite})`;
}
