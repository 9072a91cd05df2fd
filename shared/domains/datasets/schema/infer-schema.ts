import type { Column, ColumnType } from './column.ts';
import { fits } from './strict-types.ts';
import type { ColumnSurvey, ValueKind } from './survey.ts';

export interface InferOptions {
  /** The share of a column's values that may not fit its type: 0.01 is 1%. Rounded down to whole values. */
  readonly tolerance: number;
  /** Columns declared so. All others are nullable, whatever their values. */
  readonly notNull?: ReadonlySet<string>;
}

/**
 * Infers the type of each surveyed column, with a note where it may surprise.
 *
 * Chooses the family that fits (numbers, times, booleans or strings), and in it the narrowest type that holds all values
 * of the family: no value is lost that another type would keep. Whole numbers beyond int64 do not widen a column while
 * they are within the tolerance. A single number with leading zeros is an identifier, and makes its column a column of
 * strings. A decimal gets a precision of 18, or 38 if needed, as room for later files.
 */
export function inferSchema(surveys: readonly ColumnSurvey[], options: InferOptions): readonly Column[] {
  return surveys.map((survey) => {
    const { type, note } = inferColumn(survey, options.tolerance);
    const nullable = options.notNull?.has(survey.name) !== true;
    return { name: survey.name, type, nullable, ...(note === undefined ? {} : { note }) };
  });
}

interface Inferred {
  readonly type: ColumnType;
  readonly note?: string;
}

function inferColumn(survey: ColumnSurvey, tolerance: number): Inferred {
  const count = (...kinds: ValueKind[]) => kinds.reduce((sum, kind) => sum + (survey.counts[kind] ?? 0), 0);
  const nullWords = count('nullWord');
  const nans = count('nan');
  const values = survey.values - nullWords;
  if (values === 0)
    return nullWords === 0
      ? { type: 'string', note: 'The column has no values yet.' }
      : { type: 'string', note: `All values are null words such as ${quote(survey, 'nullWord')}.` };
  const isWithin = (misfits: number, of: number) => misfits <= tolerance * of;

  const numbers = count('integer', 'longInteger', 'bigInteger', 'decimal', 'double', 'infinite') + nans;
  if (numbers > 0 && isWithin(values - numbers, values) && count('leadingZero') === 0) {
    const type = inferNumber(survey, count, (misfits) => isWithin(misfits, values - nans));
    if (type !== undefined) {
      // NaN is a value in a column of doubles, and null in others.
      const of = type === 'double' ? values : values - nans;
      return describe(survey, type, of - (values - numbers) - countUnfit(type, count), of);
    }
    return { type: 'string', note: explainDigits(survey) };
  }
  const solid = values - nans;
  const times = count('date', 'timestamp', 'local');
  if (times > 0 && isWithin(solid - times, solid))
    return describe(survey, times === count('date') ? 'date' : 'timestamp', times, solid);
  const booleans = count('boolean');
  if (booleans > 0 && isWithin(solid - booleans, solid)) return describe(survey, 'boolean', booleans, solid);
  return explainString(survey, count, values);
}

type Count = (...kinds: ValueKind[]) => number;

/** @returns undefined when no numeric type holds them */
function inferNumber(
  survey: ColumnSurvey,
  count: Count,
  isWithin: (misfits: number) => boolean,
): ColumnType | undefined {
  const inexact = count('double', 'infinite');
  const long = count('longInteger', 'bigInteger');
  const isExact = count('integer', 'decimal') + long > 0;
  if (!isExact || (inexact > 0 && (isWithin(long) || !isWithin(inexact)))) {
    return isWithin(long) ? 'double' : undefined;
  }
  if (count('decimal') === 0 && isWithin(count('bigInteger') + inexact)) return 'int64';
  const { scale } = survey;
  const digits = survey.integerDigits + scale;
  if (digits <= 18) return `decimal(18,${scale})`;
  return digits <= 38 ? `decimal(38,${scale})` : undefined;
}

/** How many of the numbers do not fit a numeric type. */
function countUnfit(type: ColumnType, count: Count): number {
  if (type === 'double') return count('longInteger', 'bigInteger');
  return count('double', 'infinite') + (type === 'int64' ? count('bigInteger') : 0);
}

/** Adds notes on what may surprise. */
function describe(survey: ColumnSurvey, type: ColumnType, fit: number, of: number): Inferred {
  const notes: string[] = [];
  const { counts } = survey;
  if (counts.nullWord !== undefined) notes.push(`${quote(survey, 'nullWord')} is read as null.`);
  if (counts.nan !== undefined && type !== 'double') notes.push(`${quote(survey, 'nan')} is read as null.`);
  if (type === 'timestamp' && counts.local !== undefined)
    notes.push(`Times without an offset are read as UTC: ${quote(survey, 'local')}.`);
  if (type === 'timestamp' && counts.date !== undefined)
    notes.push(`Dates without a time are read as midnight UTC: ${quote(survey, 'date')}.`);
  const misfits = of - fit;
  if (misfits > 0) notes.push(`${misfits} of ${of} values do not fit${quoteMisfit(survey, type)}.`);
  return notes.length === 0 ? { type } : { type, note: notes.join(' ') };
}

/** Kinds that only strings can hold. */
const textual: readonly ValueKind[] = ['text', 'padded', 'dayMonth', 'leadingZero'];
const typed: readonly ValueKind[] = [
  'boolean',
  'bigInteger',
  'longInteger',
  'double',
  'infinite',
  'decimal',
  'integer',
  'date',
  'timestamp',
  'local',
];

function quoteMisfit(survey: ColumnSurvey, type: ColumnType): string {
  const { examples } = survey;
  const kind =
    textual.find((kind) => examples[kind]) ??
    typed.find((kind) => examples[kind] && !fits(type, examples[kind].text));
  if (!kind) return '';
  return `, such as ${quote(survey, kind)} in row ${examples[kind]!.row}`;
}

function explainString(survey: ColumnSurvey, count: Count, values: number): Inferred {
  const notes: string[] = [];
  const typed = values - count('text', 'padded', 'dayMonth', 'leadingZero');
  if (count('dayMonth') > 0) notes.push(explainDayMonth(survey));
  if (count('leadingZero') > 0)
    notes.push(`${quote(survey, 'leadingZero')} would lose its leading zeros as a number.`);
  if (count('padded') > 0) notes.push(`${quote(survey, 'padded')} has leading or trailing blanks.`);
  if (typed > values / 2 && count('text') > 0)
    notes.push(
      `${count('text')} of ${values} values are text, such as ${quote(survey, 'text')} in row ${survey.examples.text?.row ?? '?'}.`,
    );
  else if (typed === values && notes.length === 0) notes.push('The column has values of several types.');
  else if (typed === 0 && notes.length === 0)
    notes.push(...explainNearMiss(survey.examples.text?.text ?? ''));
  return notes.length === 0 ? { type: 'string' } : { type: 'string', note: notes.join(' ') };
}

const nearMisses: readonly (readonly [RegExp, string])[] = [
  [/^-?[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]+$/, 'has a decimal comma. Write numbers as 1234.50'],
  [/^-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$/, 'has thousands separators. Write numbers as 1234.50'],
  [
    /^-?[0-9]+(?:[.,][0-9]+)? ?%$/,
    'has a percent sign. Write 5% as 0.05, or as 5 in a column whose name says percent',
  ],
  [
    /^-?\p{Sc} ?-?[0-9]|^-?[0-9][0-9.,]* ?\p{Sc}$/u,
    'has a currency sign. Write amounts as 1234.50, and the currency in a column of its own',
  ],
  [/^(?:yes|no|y|n)$/i, 'may mean true or false. Write booleans as true and false'],
  [
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]+\.[0-9]{7,}/,
    'is more precise than a microsecond. Write at most six digits',
  ],
];

/** Texts that people read as numbers, booleans or times. */
function* explainNearMiss(text: string): Generator<string> {
  for (const [pattern, says] of nearMisses)
    if (pattern.test(text)) return yield `${JSON.stringify(text)} ${says}.`;
}

function explainDayMonth(survey: ColumnSurvey): string {
  const text = quote(survey, 'dayMonth');
  const remedy = 'Write dates as 2024-02-01 for a column of dates.';
  const { dayFirst, monthFirst } = survey;
  if (dayFirst > 0 && monthFirst === 0) return `Dates such as ${text} seem to have the day first. ${remedy}`;
  if (monthFirst > 0 && dayFirst === 0)
    return `Dates such as ${text} seem to have the month first. ${remedy}`;
  if (dayFirst > 0)
    return `Dates such as ${text} have the day first in some rows and the month first in others. ${remedy}`;
  return `${text} could have the day or the month first. ${remedy}`;
}

function explainDigits(survey: ColumnSurvey): string {
  const kind: ValueKind = survey.examples.bigInteger ? 'bigInteger' : 'longInteger';
  return `No numeric type holds all values exactly: there are ${quote(survey, kind)} and numbers with many decimal places or an exponent.`;
}

function quote(survey: ColumnSurvey, kind: ValueKind): string {
  return JSON.stringify(survey.examples[kind]?.text ?? kind);
}

/** Merges the surveys of several chunks: columns by name, in order of appearance, each with its first examples. */
export function mergeSurveys(chunks: Iterable<readonly ColumnSurvey[]>): readonly ColumnSurvey[] {
  const merged = new Map<string, ColumnSurvey>();
  for (const chunk of chunks) {
    for (const column of chunk) {
      const known = merged.get(column.name);
      merged.set(column.name, known ? mergeColumn(known, column) : column);
    }
  }
  return [...merged.values()];
}

function mergeColumn(a: ColumnSurvey, b: ColumnSurvey): ColumnSurvey {
  const counts: Partial<Record<ValueKind, number>> = { ...a.counts };
  for (const [kind, count] of Object.entries(b.counts) as [ValueKind, number][])
    counts[kind] = (counts[kind] ?? 0) + count;
  return {
    name: a.name,
    values: a.values + b.values,
    nulls: a.nulls + b.nulls,
    counts,
    examples: { ...b.examples, ...a.examples },
    integerDigits: Math.max(a.integerDigits, b.integerDigits),
    scale: Math.max(a.scale, b.scale),
    dayFirst: a.dayFirst + b.dayFirst,
    monthFirst: a.monthFirst + b.monthFirst,
  };
}
