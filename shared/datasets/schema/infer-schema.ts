import { AppError } from '../../core/errors.ts';
import type { Column } from './column.ts';
import type { ColumnSurvey } from './survey.ts';

export interface InferOptions {
  /** Share of a column's values that may not fit its type: 0.01 is 1%. Less than one row is none. */
  readonly tolerance: number;
  /** Declared as such; all others are nullable, whatever was seen. */
  readonly notNull?: ReadonlySet<string>;
}

/** Types for what was seen, with notes where they may surprise. The order is that of the surveys. */
export function inferSchema(surveys: readonly ColumnSurvey[], options: InferOptions): readonly Column[] {
  throw new AppError('NOT_IMPLEMENTED', 'inferSchema', { surveys: surveys.length, ...options });
}

/** Several chunks as one: columns by name, in order of appearance; the first examples stay. */
export function mergeSurveys(
  chunks: Iterable<readonly ColumnSurvey[]>,
  rows?: number,
): readonly ColumnSurvey[] {
  throw new AppError('NOT_IMPLEMENTED', 'mergeSurveys', { chunks: [...chunks].length, rows });
}
