import type { ColumnType } from '../../../domains/datasets/schema/column.ts';
import { nullWordsOf, patternOf } from '../../../domains/datasets/schema/strict-types.ts';
import { quoteText } from '../quote.ts';
import { typeOf } from '../column-sql.ts';
import type { PlannedColumn, PlannedRule } from './column-plan.ts';

/** Columns per regular expression: a call costs more than the bytes it reads. */
const columnsPerPattern = 64;

/** A way in which a row can be bad. SQL identifies it by its index in `listFaults`. */
export interface RowFault {
  readonly column: PlannedColumn;
  /** Undefined if the text is not a value of the column's type. */
  readonly rule?: PlannedRule;
}

/** The text of a column, as `read_csv` names it. */
export function textOf({ source }: PlannedColumn): string {
  return source === undefined ? 'NULL' : `c${source}`;
}

/** The value of a column, as `selectTyped` names it. */
export function valueOf(column: PlannedColumn, index: number): string {
  return isText(column) ? textOf(column) : `x${index}`;
}

function isText({ type, source }: PlannedColumn): boolean {
  return type === 'string' && source !== undefined;
}

/** Selects the texts and their typed values; an invalid text has the value NULL. */
export function selectTyped(columns: readonly PlannedColumn[], from: string): string {
  const texts = columns.filter(({ source }) => source !== undefined).map(textOf);
  const values = columns.flatMap((column, index) =>
    isText(column) ? [] : [`TRY_CAST(${textOf(column)} AS ${typeOf(column.type)}) AS x${index}`],
  );
  return `SELECT ${[...texts, ...values].join(', ')} FROM ${from}`;
}

/** A condition that is true for good rows. */
export function isGood(columns: readonly PlannedColumn[]): string {
  const conditions = [...matchAll(columns)];
  for (const [index, column] of columns.entries()) {
    const value = valueOf(column, index);
    if (isTyped(column)) {
      conditions.push(`${value} IS NOT NULL OR ${meansNothing(column)}`);
      const range = inRange(column, value);
      if (range !== undefined) conditions.push(`(${range}) IS NOT FALSE`);
    }
    for (const rule of column.rules) conditions.push(`(${rule.toSql(value)}) IS NOT FALSE`);
  }
  return conditions.length === 0 ? 'true' : conditions.map((condition) => `(${condition})`).join(' AND ');
}

/** Whether the texts of a column are checked against a type. */
function isTyped({ type, source }: PlannedColumn): boolean {
  return source !== undefined && type !== 'string';
}

/** Matches all texts of a row at once. No pattern accepts a line feed, so fields cannot run into each other. */
function* matchAll(columns: readonly PlannedColumn[]): Generator<string> {
  const typed = columns.filter(isTyped);
  for (let start = 0; start < typed.length; start += columnsPerPattern) {
    const group = typed.slice(start, start + columnsPerPattern);
    const texts = group.map(textOf).join(`, chr(10), `);
    const pattern = group.map(({ type }) => `(?:${patternOf(type)}|${nullPattern(type)})?`).join('\\n');
    yield `regexp_full_match(concat(${texts}), ${quoteText(pattern)})`;
  }
}

/** Whether a text without a typed value means null. */
function meansNothing(column: PlannedColumn): string {
  const text = textOf(column);
  // Not IN: DuckDB turns a long list into a join, and the memory of a join per column is quadratic.
  return `${text} IS NULL OR regexp_full_match(${text}, ${quoteText(nullPattern(column.type))})`;
}

function nullPattern(type: ColumnType): string {
  return nullWordsOf(type)
    .map((word) => word.replaceAll(/\W/g, String.raw`\$&`))
    .join('|');
}

/** A condition that excludes values which the cast accepts and the type does not. */
function inRange(column: PlannedColumn, value: string): string | undefined {
  const { type } = column;
  // A huge exponent casts to infinity, as the word does.
  if (type === 'double')
    return `CASE WHEN isinf(${value}) THEN regexp_matches(${textOf(column)}, '[nN]') ELSE true END`;
  if (type === 'date') return `${value} >= DATE '0001-01-01'`;
  if (type === 'timestamp')
    return `${value} >= TIMESTAMPTZ '0001-01-01 00:00:00+00' AND ${value} < TIMESTAMPTZ '10000-01-01 00:00:00+00'`;
  return undefined;
}

export function listFaults(columns: readonly PlannedColumn[]): readonly RowFault[] {
  return columns.flatMap((column) => [
    ...(isTyped(column) ? [{ column }] : []),
    ...column.rules.map((rule) => ({ column, rule })),
  ]);
}

/** An expression for the first fault of a bad row, as an index into `listFaults`. */
export function findFault(columns: readonly PlannedColumn[]): string {
  const cases: string[] = [];
  let fault = 0;
  for (const [index, column] of columns.entries()) {
    const value = valueOf(column, index);
    const text = textOf(column);
    if (isTyped(column)) {
      const range = inRange(column, value);
      const fit = `${value} IS NOT NULL AND regexp_full_match(${text}, ${quoteText(patternOf(column.type) ?? '')})`;
      cases.push(
        `WHEN NOT (${meansNothing(column)}) AND NOT (${fit}${range === undefined ? '' : ` AND ${range}`}) THEN ${fault}`,
      );
      fault += 1;
    }
    for (const rule of column.rules) {
      cases.push(`WHEN (${rule.toSql(value)}) IS FALSE THEN ${fault}`);
      fault += 1;
    }
  }
  return cases.length === 0 ? '-1' : `CASE ${cases.join(' ')} ELSE -1 END`;
}
