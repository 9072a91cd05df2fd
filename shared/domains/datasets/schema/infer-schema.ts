import type { Column, ColumnType } from './column.ts';
import { fits } from './strict-types.ts';
import type { ColumnSurvey, ValueKind } from './survey.ts';

export interface InferOptions {
  /** Share of a column's values that may not fit its type: 0.01 is 1%. Less than one value is none. */
  readonly tolerance: number;
  /** Declared as such; all others are nullable, whatever was seen. */
  readonly notNull?: ReadonlySet<string>;
}

/**
 * Types for what was seen, with notes where they may surprise. The order is that of the surveys.
 *
 * Of the four families (numbers, times, booleans, strings) the one that fits, and in it the narrowest type that holds
 * all values of the family, so that no value is lost that another type would keep. Two things are no reason to widen:
 * whole numbers beyond int64 (overflow), while they are within the tolerance; and numbers with leading zeros, which
 * are ids: one of them makes a column of whole numbers a column of strings. A decimal gets a precision of 18, or 38 if
 * it needs more: room for what later files hold.
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
      ? { type: 'string', note: 'It has no values yet.' }
      : { type: 'string', note: `All its values are like ${quote(survey, 'nullWord')}.` };
  const isWithin = (misfits: number, of: number) => misfits <= tolerance * of;

  const numbers = count('integer', 'longInteger', 'bigInteger', 'decimal', 'double', 'infinite') + nans;
  if (numbers > 0 && isWithin(values - numbers, values) && count('leadingZero') === 0) {
    const type = inferNumber(survey, count, (misfits) => isWithin(misfits, values - nans));
    if (type !== undefined) {
      // In a column of doubles NaN is a value, in others it is null.
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

/** @returns undefined when no type of numbers holds them */
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
  if (count('decimal') === 0 && isWithin(count('bigInteger'))) return 'int64';
  const { scale } = survey;
  const digits = survey.integerDigits + scale;
  if (digits <= 18) return `decimal(18,${scale})`;
  return digits <= 38 ? `decimal(38,${scale})` : undefined;
}

/** Of the numbers: those that a type of numbers does not take. */
function countUnfit(type: ColumnType, count: Count): number {
  if (type === 'double') return count('longInteger', 'bigInteger');
  return count('double', 'infinite') + (type === 'int64' ? count('bigInteger') : 0);
}

/** A type, and what of the column may surprise. */
function describe(survey: ColumnSurvey, type: ColumnType, fit: number, of: number): Inferred {
  const notes: string[] = [];
  const { counts } = survey;
  if (counts.nullWord !== undefined) notes.push(`${quote(survey, 'nullWord')} is read as null.`);
  if (counts.nan !== undefined && type !== 'double') notes.push(`${quote(survey, 'nan')} is read as null.`);
  if (type === 'timestamp' && counts.local !== undefined)
    notes.push(`Times without an offset are taken as UTC: ${quote(survey, 'local')}.`);
  if (type === 'timestamp' && counts.date !== undefined)
    notes.push(`Dates without a time are midnight in UTC: ${quote(survey, 'date')}.`);
  const misfits = of - fit;
  if (misfits > 0) notes.push(`${misfits} of ${of} values do not fit${quoteMisfit(survey, type)}.`);
  return notes.length === 0 ? { type } : { type, note: notes.join(' ') };
}

/** Fit no type but strings. */
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
  if (count('padded') > 0) notes.push(`${quote(survey, 'padded')} has blanks around it.`);
  if (typed > values / 2 && count('text') > 0)
    notes.push(
      `${count('text')} of ${values} values are text, such as ${quote(survey, 'text')} in row ${survey.examples.text?.row ?? '?'}.`,
    );
  else if (typed === values && notes.length === 0) notes.push('Its values are of several types.');
  else if (typed === 0 && notes.length === 0)
    notes.push(...explainNearMiss(survey.examples.text?.text ?? ''));
  return notes.length === 0 ? { type: 'string' } : { type: 'string', note: notes.join(' ') };
}

const nearMisses: readonly (readonly [RegExp, string])[] = [
  [/^-?[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]+$/, 'has a decimal comma. Write numbers as 1234.50'],
  [/^-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?$/, 'has separators in it. Write numbers as 1234.50'],
  [
    /^-?[0-9]+(?:[.,][0-9]+)? ?%$/,
    'has a percent sign. Write 5% as 0.05, or as 5 in a column whose name says so',
  ],
  [
    /^-?\p{Sc} ?-?[0-9]|^-?[0-9][0-9.,]* ?\p{Sc}$/u,
    'has a currency sign. Write amounts as 1234.50, and the currency in a column of its own',
  ],
  [/^(?:yes|no|y|n)$/i, 'may mean true or false. Write booleans as true and false'],
  [
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]+\.[0-9]{7,}/,
    'is finer than a microsecond, which times are kept in. Cut it to six digits',
  ],
];

/** Texts that people would take for something else. */
function* explainNearMiss(text: string): Generator<string> {
  for (const [pattern, says] of nearMisses)
    if (pattern.test(text)) return yield `${JSON.stringify(text)} ${says}.`;
}

function explainDayMonth(survey: ColumnSurvey): string {
  const text = quote(survey, 'dayMonth');
  const remedy = 'Write dates as 2024-02-01 to make it a column of dates.';
  const { dayFirst, monthFirst } = survey;
  if (dayFirst > 0 && monthFirst === 0) return `Dates like ${text} seem to have the day first. ${remedy}`;
  if (monthFirst > 0 && dayFirst === 0) return `Dates like ${text} seem to have the month first. ${remedy}`;
  if (dayFirst > 0)
    return `Dates like ${text} have the day first in some rows and the month in others. ${remedy}`;
  return `${text} could have the day or the month first. ${remedy}`;
}

function explainDigits(survey: ColumnSurvey): string {
  const kind: ValueKind = survey.examples.bigInteger ? 'bigInteger' : 'longInteger';
  return `No type of numbers holds all of them exactly: there is ${quote(survey, kind)}, and numbers with many digits after the point or an exponent.`;
}

function quote(survey: ColumnSurvey, kind: ValueKind): string {
  return JSON.stringify(survey.examples[kind]?.text ?? kind);
}

/** Several chunks as one: columns by name, in order of appearance; the first examples stay. */
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
