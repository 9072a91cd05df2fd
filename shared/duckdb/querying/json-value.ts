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
import type { JsonValue } from '../../core/json.ts';

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
  // Delta's name for it.
  [DuckDBTypeId.TIMESTAMP, 'timestamp_ntz'],
  [DuckDBTypeId.VARCHAR, 'string'],
  [DuckDBTypeId.ENUM, 'string'],
  [DuckDBTypeId.BLOB, 'binary'],
]);

/** As columns of datasets call it; a type that none of them has (lists, intervals, hugeint) as DuckDB does, in lower case. */
export function typeName(type: DuckDBType): string {
  return names.get(type.typeId) ?? type.toString().toLowerCase();
}

/**
 * A value of a query's result as JSON: as of columns of datasets (see `text-of.ts`); lists are arrays, structs
 * objects, maps arrays of `{key, value}`; whatever else there is, is DuckDB's own text.
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

const dayMicros = 86_400_000_000n;

function toIsoDate(value: DuckDBDateValue): string {
  return value.isFinite ? formatDay(value.days) : String(value);
}

/** With a `Z` where it is an instant; a timestamp without a zone has none. */
function toIsoTime(value: DuckDBTimestampTZValue | DuckDBTimestampValue): string {
  if (!value.isFinite) return String(value);
  const ofDay = ((value.micros % dayMicros) + dayMicros) % dayMicros;
  const day = Number((value.micros - ofDay) / dayMicros);
  const time = new Date(Number(ofDay / 1_000n)).toISOString().slice(11, 23);
  const micros = String(ofDay % 1_000n).padStart(3, '0');
  return `${formatDay(day)}T${time}${micros}${value instanceof DuckDBTimestampTZValue ? 'Z' : ''}`;
}

/**
 * Days since 1970-01-01 as a date of the proleptic Gregorian calendar: also beyond what `Date` holds.
 *
 * @see https://howardhinnant.github.io/date_algorithms.html#civil_from_days
 */
function formatDay(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${formatYear(year)}-${two(month)}-${two(day)}`;
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9_999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}
