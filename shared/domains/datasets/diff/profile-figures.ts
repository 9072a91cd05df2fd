import type { ColumnProfile } from '../profiles/profile.ts';

/** One figure of a column. Its unit decides how a change is measured. */
export interface Figure {
  readonly figure: string;
  readonly value: number | string;
  /** `rows`: a count of rows; `top`: rows with one value; `place`: a value of the column; `size`: any other number. */
  readonly unit: 'rows' | 'top' | 'place' | 'size';
}

/** All figures of a column but its histogram: two histograms have different buckets. */
export function listFigures(column: ColumnProfile): readonly Figure[] {
  const { numbers, booleans, lengths, quantiles, top } = column;
  const figures: readonly (readonly [string, number | string | undefined, Figure['unit']])[] = [
    ['count', column.count, 'rows'],
    ['nulls', column.nulls, 'rows'],
    ['distinct', column.distinct, 'size'],
    ['min', column.min, 'place'],
    ['max', column.max, 'place'],
    ['mean', numbers?.mean, 'place'],
    ['std', numbers?.std, 'size'],
    ['zeros', numbers?.zeros, 'rows'],
    ['negatives', numbers?.negatives, 'rows'],
    ['nans', numbers?.nans, 'rows'],
    ['positive infinities', numbers?.positiveInfinities, 'rows'],
    ['negative infinities', numbers?.negativeInfinities, 'rows'],
    ['trues', booleans?.trues, 'rows'],
    ['falses', booleans?.falses, 'rows'],
    ['shortest', lengths?.min, 'size'],
    ['mean length', lengths?.mean, 'size'],
    ['longest', lengths?.max, 'size'],
    ['empty', lengths?.empty, 'rows'],
    ...(quantiles?.levels ?? []).map(
      (level, index) => [`quantile ${level}`, quantiles?.values[index], 'place'] as const,
    ),
    // Different texts can be equal once cut.
    ...(booleans === undefined ? (top ?? []) : [])
      .filter(({ isCut }) => isCut !== true)
      .map(({ value, rows }) => [`rows of ${JSON.stringify(value)}`, rows, 'top'] as const),
  ];
  return figures.flatMap(([figure, value, unit]) => (value === undefined ? [] : [{ figure, value, unit }]));
}

export interface FigureContext {
  readonly before: ColumnProfile;
  readonly after: ColumnProfile;
  readonly rowsBefore: number;
  readonly rowsAfter: number;
}

/** A change from 0 to 1, see `diffProfiles`. */
export function measureChange(
  before: Figure | undefined,
  after: Figure | undefined,
  context: FigureContext,
): number {
  const unit = (before ?? after)?.unit;
  switch (unit) {
    case 'rows':
    case 'top':
      return Math.abs(share(after?.value, context.rowsAfter) - share(before?.value, context.rowsBefore));
    case 'size': {
      const [a, b] = [Number(before?.value ?? 0), Number(after?.value ?? 0)];
      return Math.min(1, divide(Math.abs(b - a), Math.max(Math.abs(a), Math.abs(b))));
    }
    case 'place': {
      if (before === undefined || after === undefined) return 1;
      const range = [context.before, context.after].flatMap(({ min, max }) => [toNumber(min), toNumber(max)]);
      const width = Math.max(...range) - Math.min(...range);
      return Math.min(1, divide(Math.abs(toNumber(after.value) - toNumber(before.value)), width));
    }
    case undefined:
      return 0;
  }
}

function share(rows: number | string | undefined, all: number): number {
  return divide(Number(rows ?? 0), all);
}

/** 0 if the result is not a finite number (texts, infinite ranges), so that it sorts last. */
function divide(part: number, whole: number): number {
  const result = part / whole;
  return Number.isFinite(result) ? result : 0;
}

function toNumber(value: number | string | undefined): number {
  if (value === undefined || value === '') return NaN;
  const number = Number(value);
  return Number.isNaN(number) ? Date.parse(String(value)) : number;
}
