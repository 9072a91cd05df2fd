/**
 * The kinds of texts; each text has exactly one (`classify` in `strict-types.ts`). An `integer` has at most 15 digits,
 * so that a double holds it exactly. A `longInteger` is any other int64; a `bigInteger` does not fit int64. `local` is
 * a timestamp without an offset, `nullWord` a text that means null in all columns but strings (NA, NULL…).
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

/** An example value: its row, and its text cut to 100 characters. */
export interface SurveyExample {
  readonly row: number;
  readonly text: string;
}

/** How many values of a column have which kind. `mergeSurveys` adds up the surveys of several chunks. */
export interface ColumnSurvey {
  readonly name: string;
  /** Values that are not null: the sum of `counts`. */
  readonly values: number;
  readonly nulls: number;
  /** Kinds that do not occur are omitted. */
  readonly counts: Readonly<Partial<Record<ValueKind, number>>>;
  /** The first of each kind. */
  readonly examples: Readonly<Partial<Record<ValueKind, SurveyExample>>>;
  /** The most digits before and after the point, over integers and decimals. */
  readonly integerDigits: number;
  readonly scale: number;
  /** Of the values of kind `dayMonth`: how many can only be day first, or only month first. */
  readonly dayFirst: number;
  readonly monthFirst: number;
}
