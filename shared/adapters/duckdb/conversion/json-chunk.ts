import { open, readFile } from 'node:fs/promises';
import { AppError } from '../../../core/errors.ts';
import type { BadRow, TextChunk } from '../../../formats/tabular/text-chunk.ts';
import { createYielder } from '../../../core/async/yielder.ts';
import { type JsonField, readJsonRecord } from '../../../domains/datasets/schema/read-json-record.ts';
import { classify } from '../../../domains/datasets/schema/strict-types.ts';
import type { ColumnSurvey, ValueKind } from '../../../domains/datasets/schema/survey.ts';
import { ColumnCounter } from '../../../domains/datasets/schema/survey-values.ts';
import { toBadRow } from './bad-rows.ts';

const maxKeys = 10_000;
const writeBytes = 1 << 20;

/** A chunk of JSON Lines, written as a CSV file of some columns. */
export interface JsonTable {
  /** The position in the chunk of each record in the file. */
  readonly records: Uint32Array;
  readonly sizeBytes: number;
  /** Lines that are not objects. */
  readonly bad: readonly BadRow[];
  /** Of the keys to survey. */
  readonly survey: readonly ColumnSurvey[];
}

/**
 * Parses the lines of a chunk.
 *
 * @param options.path where to write the CSV file; omitted for a survey only
 * @param options.columns the columns of that file
 * @param options.surveys whether a key is to be surveyed
 * @throws UNPROCESSABLE for more than 10,000 keys that are surveyed
 */
export async function readJsonChunk(
  chunk: TextChunk,
  options: {
    readonly path?: string;
    readonly columns: readonly string[];
    readonly surveys: (key: string) => boolean;
    readonly signal: AbortSignal;
  },
): Promise<JsonTable> {
  const { columns, surveys, signal } = options;
  const bytes = await readFile(chunk.path);
  const { starts } = chunk;
  const positions = new Map(columns.map((name, index) => [name, index]));
  const counters = new Map<string, ColumnCounter | undefined>();
  const records = new Uint32Array(chunk.records);
  const bad: BadRow[] = [];
  let good = 0;
  await using writer = await openWriter(options.path);
  const pause = createYielder();
  for (let record = 0; record < chunk.records; record += 1) {
    if ((record & 31) === 0) {
      await pause();
      signal.throwIfAborted();
    }
    const line = bytes.toString('utf8', starts[record], starts[record + 1]! - 1);
    const parsed = readJsonRecord(line);
    if ('code' in parsed) {
      const { code, reason, key } = parsed;
      bad.push(
        toBadRow(chunk, record, line, { code, reason, ...(key === undefined ? {} : { column: key }) }),
      );
      continue;
    }
    records[good] = record;
    good += 1;
    const row = Array.from({ length: columns.length }, () => '');
    for (const field of parsed.fields) {
      const position = positions.get(field.key);
      if (position !== undefined) row[position] = writeField(field);
      const counter = findCounter(counters, field.key, surveys);
      counter?.addAs(kindOf(field), field.text, chunk.numbers[record]!);
    }
    await writer.write(`${row.join(',')}\n`);
  }
  return {
    records: records.subarray(0, good),
    sizeBytes: await writer.finish(),
    bad,
    survey: [...counters.values()].flatMap((counter) => (counter ? [finish(counter, good)] : [])),
  };
}

function finish(counter: ColumnCounter, rows: number): ColumnSurvey {
  const { values } = counter.finish();
  counter.addNulls(rows - values);
  return counter.finish();
}

/** The kinds of a JSON string besides text: values that JSON cannot write in another way. */
const stringKinds: ReadonlySet<ValueKind> = new Set([
  'date',
  'timestamp',
  'local',
  'dayMonth',
  'nan',
  'infinite',
]);

/** The kind of a JSON value. A string that looks like a number is text. */
export function kindOf({ text, isString }: JsonField): ValueKind {
  const kind = classify(text);
  return isString && !stringKinds.has(kind) ? 'text' : kind;
}

/** Always quotes strings: an unquoted empty field means null. */
function writeField({ text, isString }: JsonField): string {
  return isString || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function findCounter(
  counters: Map<string, ColumnCounter | undefined>,
  key: string,
  surveys: (key: string) => boolean,
): ColumnCounter | undefined {
  const known = counters.get(key);
  if (known || counters.has(key)) return known;
  const counter = surveys(key) ? new ColumnCounter(key) : undefined;
  counters.set(key, counter);
  if (counters.size > maxKeys)
    throw new AppError(
      'UNPROCESSABLE',
      `The lines have more than ${maxKeys} different keys, and each would be a column: nest keys that are data, as {"values": {…}}.`,
      { maxKeys },
    );
  return counter;
}

interface Writer extends AsyncDisposable {
  write(text: string): Promise<void> | undefined;
  finish(): Promise<number>;
}

async function openWriter(path: string | undefined): Promise<Writer> {
  if (path === undefined)
    return {
      write: () => undefined,
      finish: () => Promise.resolve(0),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  const file = await open(path, 'wx');
  let waiting: string[] = [];
  let waitingChars = 0;
  let sizeBytes = 0;
  const flush = async () => {
    const bytes = Buffer.from(waiting.join(''));
    waiting = [];
    waitingChars = 0;
    sizeBytes += bytes.length;
    await file.writeFile(bytes);
  };
  return {
    write: (text) => {
      waiting.push(text);
      waitingChars += text.length;
      return waitingChars >= writeBytes ? flush() : undefined;
    },
    finish: async () => {
      await flush();
      return sizeBytes;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
