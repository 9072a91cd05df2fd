import { DuckDBDecimalValue, type DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api';
import type { Column } from '../../../../domains/datasets/schema/column.ts';
import { quoteName } from '../../quote.ts';
import { toJsonValue } from './json-value.ts';
import { quoteField } from './text-of.ts';

/**
 * Tables with this many columns are converted to text in JavaScript, which is ten times slower but needs less memory:
 * DuckDB keeps vectors for every step of every column's expression, 1.8 GB for 10,000 columns and 20 rows.
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

/** Writes an array of values as `jsonTextOf` does. */
export function writeJsonArray(values: readonly DuckDBValue[]): string {
  return JSON.stringify(values.map(toJsonValue));
}

/** Writes an object with all digits of its numbers. */
export function writeJsonObject(names: readonly string[], values: readonly DuckDBValue[]): string {
  return `{${values.map((value, index) => `${JSON.stringify(names[index])}:${writeDigits(value)}`).join(',')}}`;
}

function writeDigits(value: DuckDBValue): string {
  return typeof value === 'bigint' || value instanceof DuckDBDecimalValue
    ? String(value)
    : JSON.stringify(toJsonValue(value));
}

/** Writes a line of values as `fieldTextOf` does, with quotes. */
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
