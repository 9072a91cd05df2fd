import { open, rm, writeFile } from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { quoteText } from '../quote.ts';

/** A CSV file for DuckDB, with all columns as text, named c0, c1…. */
export interface CsvSource extends AsyncDisposable {
  /** The table expression. */
  readonly sql: string;
}

/**
 * Opens a chunk's file as a table of texts. Nothing is sniffed, cast or trimmed; only an unquoted empty field is null.
 */
export async function openCsv(
  path: string,
  sizeBytes: number,
  columnCount: number,
  delimiter: string,
): Promise<CsvSource> {
  const marked = await keepMark(path);
  const columns = Array.from({ length: columnCount }, (_, index) => `c${index}: 'VARCHAR'`).join(', ');
  const lineBytes = Math.max(sizeBytes, 1024) + 16;
  const options = [
    `columns = {${columns}}`,
    `delim = ${quoteText(delimiter)}`,
    `auto_detect = false, header = false, quote = '"', escape = '"', new_line = '\\n'`,
    'allow_quoted_nulls = false, strict_mode = true, parallel = false',
    `max_line_size = ${lineBytes}, buffer_size = ${lineBytes + 1024}`,
  ];
  return {
    sql: `read_csv(${quoteText(marked ?? path)}, ${options.join(', ')})`,
    [Symbol.asyncDispose]: async () => {
      if (marked !== undefined) await rm(marked, { force: true });
    },
  };
}

/**
 * DuckDB drops a byte order mark at the start of a file. If the first value starts with one, copies the file with another
 * mark in front.
 */
async function keepMark(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  const head = Buffer.alloc(3);
  try {
    await file.read(head, 0, 3, 0);
  } finally {
    await file.close();
  }
  if (head.toString('latin1') !== '\u00ef\u00bb\u00bf') return undefined;
  const copy = `${path}.marked`;
  await writeFile(copy, head);
  await pipeline(createReadStream(path), createWriteStream(copy, { flags: 'a' }));
  return copy;
}
