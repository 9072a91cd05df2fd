import { readFile, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError, isAppError } from '../../../core/errors.ts';
import type { BadRow, TextChunk } from '../../../formats/tabular/text-chunk.ts';
import type { LocalDataFile } from '../../../domains/datasets/ingestion/staging/local-data-file.ts';
import type {
  ConvertedChunk,
  ConvertOptions,
} from '../../../domains/datasets/ingestion/staging/table-converter.ts';
import { readJsonRecord } from '../../../domains/datasets/schema/read-json-record.ts';
import { splitRecord } from '../../../domains/datasets/schema/split-record.ts';
import { duckDbErrors } from '../errors.ts';
import { quoteName } from '../quote.ts';
import { runQuery } from '../run-query.ts';
import { explainFault, toBadRow } from './bad-rows.ts';
import { openCsv } from './chunk-source.ts';
import { type PlannedColumn, planColumns } from './column-plan.ts';
import { writeDataFile } from './data-file.ts';
import { type JsonTable, kindOf, readJsonChunk } from './json-chunk.ts';
import { findFault, isGood, listFaults, selectTyped, valueOf } from './row-checks.ts';
import { type BadCells, surveyConverted } from './survey-converted.ts';

/** Fails the query at a bad row. The message is not used. */
const failOnBadRow = `error('bad row')`;

/** Returns an unused path in the converter's folder. */
export type CreatePath = (extension: string) => string;

/**
 * Converts a chunk. In most chunks all rows are good, and one strict query writes them; it fails at the first bad row.
 * Only then is the chunk read into a table with the first fault of each row.
 */
export async function convertChunk(
  connection: DuckDBConnection,
  chunk: TextChunk,
  options: ConvertOptions,
  createPath: CreatePath,
): Promise<ConvertedChunk> {
  const { columns, signal } = options;
  const { shape } = chunk;
  if (shape.kind === 'csv') {
    const planned = planColumns(shape.header, options);
    await using csv = await openCsv(chunk.path, chunk.sizeBytes, shape.header.length, shape.delimiter);
    return await convertCsv({ connection, chunk, planned, from: csv.sql, options, createPath });
  }
  const names = columns.map(({ name }) => name);
  const planned = planColumns(names, options);
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const path = createPath('csv');
  try {
    const json = await readJsonChunk(chunk, {
      path,
      columns: names,
      surveys: (key) =>
        !types.has(key) || (types.get(key) === 'string' && options.undecided?.has(key) === true),
      signal,
    });
    await using csv = await openCsv(path, json.sizeBytes, names.length, ',');
    return await convertCsv({ connection, chunk, planned, from: csv.sql, options, createPath, json });
  } finally {
    await rm(path, { force: true });
  }
}

interface Work {
  readonly connection: DuckDBConnection;
  readonly chunk: TextChunk;
  readonly planned: readonly PlannedColumn[];
  readonly from: string;
  readonly options: ConvertOptions;
  readonly createPath: CreatePath;
  readonly json?: JsonTable;
}

async function convertCsv(work: Work): Promise<ConvertedChunk> {
  const { connection, chunk, planned, options, createPath, json } = work;
  const { signal, undecided = new Set() } = options;
  const records = json ? json.records.length : chunk.records;
  if (records === 0) return { bad: json?.bad ?? [], survey: json?.survey ?? [] };
  const path = createPath('parquet');
  let file = await writeStrictly(work, path, records);
  let faulty: readonly FaultyRow[] = [];
  if (!file) {
    const sorted = await sortOut(work, path, records);
    file = sorted.file;
    faulty = sorted.faulty;
  }
  const { bad, cells } = await describeFaulty(work, faulty);
  const survey = await surveyConverted({
    connection,
    chunk,
    planned,
    file,
    cells,
    undecided: json ? new Set() : undecided,
    skipped: new Set(json?.survey.map(({ name }) => name)),
    signal,
  });
  return {
    ...(file ? { file } : {}),
    bad: json ? [...json.bad, ...bad].sort((a, b) => a.row - b.row) : bad,
    survey: [...survey, ...(json?.survey ?? [])],
  };
}

/** @returns undefined when a row is bad */
async function writeStrictly(
  { connection, planned, from, options }: Work,
  path: string,
  records: number,
): Promise<LocalDataFile | undefined> {
  const good = isGood(planned);
  const select = planned.map((column, index) => {
    const value = valueOf(column, index);
    // Checked within the first column: a filter would compute values twice.
    const checked = index === 0 ? `CASE WHEN ${good} THEN ${value} ELSE ${failOnBadRow} END` : value;
    return `${checked} AS ${quoteName(column.name)}`;
  });
  const query = `SELECT ${select.join(', ')} FROM (${selectTyped(planned, from)})`;
  try {
    const file = await writeDataFile(connection, query, path, planned, options.signal);
    checkCount(records, file?.rows ?? 0);
    return file;
  } catch (error) {
    if (isAppError(error, 'UNPROCESSABLE') && !duckDbErrors.outOfMemory.is(error)) return undefined;
    throw error;
  }
}

interface FaultyRow {
  /** Position in the table. */
  readonly row: number;
  /** Index into `listFaults`. */
  readonly fault: number;
}

async function sortOut(
  { connection, planned, from, options }: Work,
  path: string,
  records: number,
): Promise<{ readonly file: LocalDataFile | undefined; readonly faulty: readonly FaultyRow[] }> {
  const { signal } = options;
  const values = planned.map((column, index) => `${valueOf(column, index)} AS v${index}`);
  const fault = `CASE WHEN ${isGood(planned)} THEN NULL ELSE ${findFault(planned)} END`;
  const rows = `SELECT ${values.join(', ')}, ${fault} AS fault FROM (${selectTyped(planned, from)})`;
  try {
    await runQuery(connection, `CREATE OR REPLACE TEMP TABLE sorted_out AS ${rows}`, signal);
    const list =
      'SELECT rowid::INTEGER, fault::INTEGER FROM sorted_out WHERE fault IS NOT NULL ORDER BY rowid';
    const found = (await runQuery(connection, list, signal)).getColumns() as number[][];
    const faulty = (found[0] ?? []).map((row, index) => ({ row, fault: found[1]![index]! }));
    const select = planned.map(({ name }, index) => `v${index} AS ${quoteName(name)}`);
    const query = `SELECT ${select.join(', ')} FROM sorted_out WHERE fault IS NULL`;
    const file = await writeDataFile(connection, query, path, planned, signal);
    checkCount(records, (file?.rows ?? 0) + faulty.length);
    return { file, faulty };
  } finally {
    await connection.run('DROP TABLE IF EXISTS sorted_out');
  }
}

/** The scanner and DuckDB must agree on the number of records. */
function checkCount(expected: number, found: number): void {
  if (expected === found) return;
  throw new AppError('INTERNAL', `A chunk of ${expected} records became ${found} rows.`, { expected, found });
}

async function describeFaulty(
  { chunk, planned, json }: Work,
  faulty: readonly FaultyRow[],
): Promise<{ readonly bad: readonly BadRow[]; readonly cells: readonly BadCells[] }> {
  if (faulty.length === 0) return { bad: [], cells: [] };
  const bytes = await readFile(chunk.path);
  const { starts } = chunk;
  const faults = listFaults(planned);
  const bad: BadRow[] = [];
  const cells: BadCells[] = [];
  for (const { row, fault } of faulty) {
    const record = json ? json.records[row]! : row;
    const raw = bytes.toString('utf8', starts[record], starts[record + 1]! - 1);
    const read = readCells(chunk, planned, raw);
    const found = faults[fault];
    const text = found === undefined ? null : (read[planned.indexOf(found.column)]?.text ?? null);
    const fact = found
      ? explainFault(found, text)
      : { code: 'WRONG_TYPE', reason: 'The row does not match the columns.' };
    bad.push(toBadRow(chunk, record, raw, fact));
    cells.push({ record, cells: read });
  }
  return { bad, cells };
}

/** The texts of a record by planned column. */
function readCells(chunk: TextChunk, planned: readonly PlannedColumn[], raw: string): BadCells['cells'] {
  const { shape } = chunk;
  if (shape.kind === 'csv') {
    const fields = splitRecord(raw, shape.delimiter);
    return planned.map(({ source }) => {
      const text = source === undefined ? null : fields[source];
      return text === null || text === undefined ? undefined : { text };
    });
  }
  const parsed = readJsonRecord(raw);
  const fields = 'fields' in parsed ? new Map(parsed.fields.map((field) => [field.key, field])) : new Map();
  return planned.map(({ name }) => {
    const field = fields.get(name);
    return field && { text: field.text, kind: kindOf(field) };
  });
}
