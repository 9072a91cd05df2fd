import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTypeId,
  DuckDBUnionValue,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { JsonValue } from '../../../../core/json/json.ts';
import { formatDay, formatMoment } from '../../../../domains/datasets/schema/format-moment.ts';

const names = new Map<DuckDBTypeId, string>([
  [DuckDBTypeId.TINYINT, 'int64'],
  [DuckDBTypeId.SMALLINT, 'int64'],
  [DuckDBTypeId.INTEGER, 'int64'],
  [DuckDBTypeId.BIGINT, 'int64'],
  [DuckDBTypeId.UTINYINT, 'int64'],
  [DuckDBTypeId.USMALLINT, 'int64'],
  [DuckDBTypeId.UINTEGER, 'int64'],
  [DuckDBTypeId.FLOAT, 'double'],
  [DuckDBTypeId.DOUBLE, 'double'],
  [DuckDBTypeId.BOOLEAN, 'boolean'],
  [DuckDBTypeId.DATE, 'date'],
  [DuckDBTypeId.TIMESTAMP_TZ, 'timestamp'],
  // As Delta calls it.
  [DuckDBTypeId.TIMESTAMP, 'timestamp_ntz'],
  [DuckDBTypeId.VARCHAR, 'string'],
  [DuckDBTypeId.ENUM, 'string'],
  [DuckDBTypeId.BLOB, 'binary'],
]);

/** The name of a type as in columns of datasets. Other types (lists, intervals, hugeint) have DuckDB's name in lower case. */
export function typeName(type: DuckDBType): string {
  return names.get(type.typeId) ?? type.toString().toLowerCase();
}

/**
 * A value of a query's result as JSON. Types of datasets as in `text-of.ts`; lists are arrays, structs objects, maps
 * arrays of `{key, value}`; all other values are DuckDB's text.
 */
export function toJsonValue(value: DuckDBValue): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof DuckDBDateValue) return toIsoDate(value);
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue)
    return toIsoTime(value);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof DuckDBDecimalValue) return value.toString();
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(toJsonValue);
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([key, item]) => [key, toJsonValue(item)]));
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => ({ key: toJsonValue(entry.key), value: toJsonValue(entry.value) }));
  if (value instanceof DuckDBUnionValue) return { tag: value.tag, value: toJsonValue(value.value) };
  return String(value);
}

function toIsoDate(value: DuckDBDateValue): string {
  return value.isFinite ? formatDay(value.days) : String(value);
}

/** Ends in `Z` unless the timestamp has no zone. */
function toIsoTime(value: DuckDBTimestampTZValue | DuckDBTimestampValue): string {
  if (!value.isFinite) return String(value);
  const text = formatMoment(value.micros);
  return value instanceof DuckDBTimestampTZValue ? text : text.slice(0, -1);
}
