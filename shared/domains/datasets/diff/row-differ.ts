import type { LocalTable } from '../reading/table-engine.ts';
import type { RowCounts, RowDiff } from './row-diff.ts';

export interface RowDiffer {
  /**
   * Compares the rows of two tables by key, or as multisets. NaN equals NaN, 0 equals -0, and null equals null, also in
   * keys. A column that a table lacks is null. A column whose type changed is compared as text.
   *
   * Rows are compared by 64 bits of a hash (128 without keys): for a million changed rows, the chance that any of them
   * counts as unchanged is 1 in 10^13.
   *
   * @throws AppError INVALID_ARGUMENT naming a duplicate key, or a key that is not a column of both tables; CANCELLED;
   *   UNPROCESSABLE for a file that cannot be read
   */
  diff(
    before: LocalTable,
    after: LocalTable,
    request: RowDiffRequest,
    signal?: AbortSignal,
  ): Promise<RowDifferences>;
}

export interface RowDiffRequest {
  /** Empty to compare multisets. */
  readonly keys: readonly string[];
  /** Into all differences in order, from 0. */
  readonly offset: number;
  readonly limit: number;
}

/** A page of wide rows can be shorter than its limit. */
export interface RowDifferences extends Pick<RowDiff, 'columns' | 'rows'> {
  readonly counts: RowCounts;
  /** The number of differences after this page. */
  readonly left: number;
}
