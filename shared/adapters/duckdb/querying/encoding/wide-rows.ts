import { DuckDBDecimalValue, type DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api';
import type { Column } from '../../../../domains/datasets/schema/column.ts';
import { quoteName } from '../../quote.ts';
import { toJsonValue } from './json-value.ts';
import { quoteField } from './text-of.ts';

/**
 * From so many columns on, values are written as text here and not by DuckDB, which is ten times slower and needs less
 * memory: DuckDB keeps vectors for every step of every column's expression, 1.8 GB for 10,000 columns and 20 rows.
 */
export const wideColumns = 1_000;

/** The values of a chunk's rows. */
export function* listRows(chunk: DuckDBDataChunk, columns: number): Generator<DuckDBValue[]> {
  const vectors = Array.from({ length: columns }, (_, index) => chunk.getColumnVector(index));
  for (let row = 0; row < chunk.rowCount; row += 1) yield vectors.map((vector) => vector.getItem(row));
}

export function selectColumns(columns: readonly Column[]): string {
  return columns.map(({ name }) => quoteName(name)).join(', ');
}

/** The same as `jsonTextOf` makes of each value, as an array. */
export function writeJsonArray(values: readonly DuckDBValue[]): string {
  return JSON.stringify(values.map(toJsonValue));
}

/** An object, with every digit of its numbers. */
export function writeJsonObject(names: readonly string[], values: readonly DuckDBValue[]): string {
  return `{${values.map((value, index) => `${JSON.stringify(names[index])}:${writeDigits(value)}`).join(',')}}`;
}

function writeDigits(value: DuckDBValue): string {
  return typeof value === 'bigint' || value instanceof DuckDBDecimalValue
    ? String(value)
    : JSON.stringify(toJsonValue(value));
}

/** The same as `fieldTextOf` and quotes make of each value, as a line. */
export function writeCsvLine(values: readonly DuckDBValue[]): string {
  return `${values.map(writeField).join(',')}\r\n`;
}

function writeField(value: DuckDBValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return quoteField(value);
  if (typeof value === 'bigint') return String(value);
  const json = toJsonValue(value);
  return typeof json === 'string' ? json : JSON.stringify(json);
}
