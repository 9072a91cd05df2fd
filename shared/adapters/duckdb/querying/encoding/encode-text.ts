import type { Column } from '../../../../domains/datasets/schema/column.ts';
import { quoteText } from '../../quote.ts';
import { readChunks } from '../../read-chunks.ts';
import { openTable, type OpenTable } from '../open-table.ts';
import type { JobLimits } from '../job-limits.ts';
import { fieldTextOf, jsonTextOf, quoteField } from './text-of.ts';
import { listRows, selectColumns, wideColumns, writeCsvLine, writeJsonObject } from './wide-rows.ts';

/** The first line of a CSV file. */
export function encodeCsvHeader(columns: readonly Column[]): Buffer {
  return Buffer.from(`${columns.map(({ name }) => quoteField(name)).join(',')}\r\n`);
}

/**
 * Encodes the rows of a file as lines. CSV follows RFC 4180: null is empty, an empty string is `""`. JSONL has every
 * column in every line, and all digits of numbers.
 */
export async function* encodeText(
  format: 'csv' | 'jsonl',
  columns: readonly Column[],
  path: string,
  limits: JobLimits,
): AsyncGenerator<Uint8Array> {
  using open = await openTable({ paths: [path], columns }, limits);
  if (columns.length >= wideColumns) {
    yield* encodeWide(format, columns, open);
    return;
  }
  const line = format === 'csv' ? csvLine(columns) : jsonLine(columns);
  // A blob avoids decoding the text.
  const result = await open.connection.stream(`SELECT encode(${line}) FROM (${open.select})`);
  for await (const chunk of readChunks(result, undefined)) {
    const lines = chunk.getColumnVector(0);
    const rows = Array.from({ length: chunk.rowCount }, (_, row) => lines.getItem(row));
    yield Buffer.concat(rows.map((row) => (row as { readonly bytes: Uint8Array }).bytes));
  }
}

async function* encodeWide(
  format: 'csv' | 'jsonl',
  columns: readonly Column[],
  { connection, select }: OpenTable,
): AsyncGenerator<Uint8Array> {
  const names = columns.map(({ name }) => name);
  const result = await connection.stream(`SELECT ${selectColumns(columns)} FROM (${select})`);
  for await (const chunk of readChunks(result, undefined)) {
    for (const values of listRows(chunk, columns.length))
      yield Buffer.from(format === 'csv' ? writeCsvLine(values) : `${writeJsonObject(names, values)}\n`);
  }
}

function csvLine(columns: readonly Column[]): string {
  // A single null would make a blank line, which is not a row.
  const nothing = columns.length === 1 ? `'""'` : `''`;
  const fields = columns.map((column) => {
    const text = fieldTextOf(column);
    if (column.type !== 'string') return `coalesce(${text}, ${nothing})`;
    const mustQuote = [`${text} <> trim(${text})`, `${text} = ''`].concat(
      [`'"'`, `','`, 'chr(10)', 'chr(13)'].map((special) => `contains(${text}, ${special})`),
    );
    return `CASE WHEN ${text} IS NULL THEN ${nothing} WHEN ${mustQuote.join(' OR ')} THEN '"' || replace(${text}, '"', '""') || '"' ELSE ${text} END`;
  });
  return `concat_ws(',', ${fields.join(', ')}) || chr(13) || chr(10)`;
}

function jsonLine(columns: readonly Column[]): string {
  const members = columns.map(
    (column) =>
      `${quoteText(`${JSON.stringify(column.name)}:`)} || ${jsonTextOf(column, { allDigits: true })}`,
  );
  return `'{' || concat_ws(',', ${members.join(', ')}) || '}' || chr(10)`;
}
