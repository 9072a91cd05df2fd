/**
 * What a text can be, each text exactly one (`classify` in `strict-types.ts`). An `integer` has at most 15 digits, so
 * that a double keeps it; a `longInteger` is an int64 beyond that, a `bigInteger` none any more. `local` is a timestamp
 * without an offset, `nullWord` a text that means "nothing" in all columns but strings (NA, NULL…), `text` the rest.
 */
export type ValueKind =
  | 'integer'
  | 'longInteger'
  | 'bigInteger'
  | 'decimal'
  | 'double'
  | 'nan'
  | 'infinite'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'local'
  | 'nullWord'
  | 'leadingZero'
  | 'padded'
  | 'dayMonth'
  | 'text';

/** A value that stands for others: where it is, and what it says (cut to 100 characters). */
export interface SurveyExample {
  readonly row: number;
  readonly text: string;
}

/** How many of a column's values are of which kind. Surveys of several chunks add up: `mergeSurveys`. */
export interface ColumnSurvey {
  readonly name: string;
  /** Not null; `counts` adds up to it. */
  readonly values: number;
  readonly nulls: number;
  /** Kinds that do not occur are left out. */
  readonly counts: Readonly<Partial<Record<ValueKind, number>>>;
  /** The first of each kind. */
  readonly examples: Readonly<Partial<Record<ValueKind, SurveyExample>>>;
  /** Most digits before and after the point, over integers and decimals. */
  readonly integerDigits: number;
  readonly scale: number;
  /** Of `dayMonth`: how many can only be day first, and how many only month first. */
  readonly dayFirst: number;
  readonly monthFirst: number;
}
