import type { DuckDBConnection } from '@duckdb/node-api';
import type { TextChunk } from '../../../formats/tabular/text-chunk.ts';
import type {
  ColumnStats,
  LocalDataFile,
} from '../../../domains/datasets/ingestion/staging/local-data-file.ts';
import type { ColumnType } from '../../../domains/datasets/schema/column.ts';
import { createYielder } from '../../../core/async/yielder.ts';
import { measureDigits, parseDecimal } from '../../../domains/datasets/schema/strict-types.ts';
import type { ColumnSurvey, ValueKind } from '../../../domains/datasets/schema/survey.ts';
import { ColumnCounter } from '../../../domains/datasets/schema/survey-values.ts';
import { quoteName, quoteText } from '../quote.ts';
import { readChunks } from '../read-chunks.ts';
import type { PlannedColumn } from './column-plan.ts';

/** The texts of a bad row by planned column; undefined for null. */
export interface BadCells {
  /** Position in the chunk. */
  readonly record: number;
  readonly cells: readonly ({ readonly text: string; readonly kind?: ValueKind } | undefined)[];
}

/**
 * Surveys a converted chunk at little cost. The values of good rows fit their column's type, and the file's statistics
 * count them. Only values of bad rows are classified one by one, and those of undecided string columns that may have
 * another type because some start like a number.
 */
export async function surveyConverted(options: {
  readonly connection: DuckDBConnection;
  readonly chunk: TextChunk;
  readonly planned: readonly PlannedColumn[];
  readonly file: LocalDataFile | undefined;
  readonly cells: readonly BadCells[];
  readonly undecided: ReadonlySet<string>;
  /** Columns with a survey of their own. */
  readonly skipped: ReadonlySet<string>;
  readonly signal: AbortSignal;
}): Promise<readonly ColumnSurvey[]> {
  const { connection, chunk, planned, file, cells, undecided, skipped, signal } = options;
  const stats = new Map(file?.stats.columns.map((column) => [column.column, column]));
  const surveys: ColumnSurvey[] = [];
  for (const [index, { name, type, source }] of planned.entries()) {
    if (source === undefined || skipped.has(name)) continue;
    const counter = new ColumnCounter(name);
    const isOpen = type === 'string' && undecided.has(name);
    const column = stats.get(name);
    if (file && column) {
      counter.addNulls(column.nulls);
      const values = file.rows - column.nulls;
      if (isOpen && values > 0 && mayBeOther(column)) {
        const numbers = listGood(chunk, cells);
        await addTexts(connection, file, name, counter, numbers, signal);
      } else addFitting(counter, type, values, column);
    }
    for (const { record, cells: row } of cells) {
      const cell = row[index];
      if (!cell) counter.addNulls(1);
      else if (type === 'string' && !isOpen) counter.addAs('text', cell.text, chunk.numbers[record]!);
      else if (cell.kind) counter.addAs(cell.kind, cell.text, chunk.numbers[record]!);
      else counter.add(cell.text, chunk.numbers[record]!);
    }
    surveys.push(counter.finish());
  }
  return surveys;
}

/** Whether a column of texts may hold numbers, times or booleans: numbers and times sort before ":". */
function mayBeOther({ min, max }: ColumnStats): boolean {
  if (min === undefined || max === undefined) return true;
  return min < ':' || (isBoolean(min) && isBoolean(max));
}

function isBoolean(text: string): boolean {
  return /^(true|false)$/i.test(text);
}

function addFitting(counter: ColumnCounter, type: ColumnType, values: number, stats: ColumnStats): void {
  const bounds = [stats.min, stats.max].filter((bound) => bound !== undefined).map(measureDigits);
  const integer = Math.max(0, ...bounds.map((bound) => bound.integer));
  switch (type) {
    case 'int64':
      counter.addMany(integer > 15 ? 'longInteger' : 'integer', values);
      counter.widen({ integer, scale: 0 });
      return;
    case 'double':
    case 'boolean':
    case 'date':
    case 'timestamp':
      counter.addMany(type, values);
      return;
    case 'string':
    case 'binary':
      counter.addMany('text', values);
      return;
    default:
      counter.addMany('decimal', values);
      if (values > 0) counter.widen({ integer, scale: parseDecimal(type).scale });
  }
}

function listGood(chunk: TextChunk, cells: readonly BadCells[]): readonly number[] {
  const bad = new Set(cells.map(({ record }) => record));
  return [...chunk.numbers].filter((_, record) => !bad.has(record));
}

async function addTexts(
  connection: DuckDBConnection,
  file: LocalDataFile,
  name: string,
  counter: ColumnCounter,
  numbers: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const result = await connection.stream(
    `SELECT ${quoteName(name)} FROM read_parquet(${quoteText(file.path)})`,
  );
  const pause = createYielder();
  let row = 0;
  for await (const rows of readChunks(result, signal)) {
    for (const text of rows.getColumnValues(0)) {
      if (typeof text === 'string') counter.add(text, numbers[row]!);
      row += 1;
    }
    await pause();
  }
}
