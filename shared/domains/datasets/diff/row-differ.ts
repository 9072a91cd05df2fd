import type { LocalTable } from '../reading/table-engine.ts';
import type { RowCounts, RowDiff } from './row-diff.ts';

export interface RowDiffer {
  /**
   * The rows that are not the same in both tables: by key, or as a multiset. NaN equals NaN, 0 equals -0, null equals
   * null, also in keys; a column that a table lacks is null there. A column of another type is compared as text.
   *
   * Rows are told apart by 64 bits of a hash (128 without keys): that any changed row is taken for an unchanged one
   * has a chance of 1 in 10^13 for a million changed rows.
   *
   * @throws AppError INVALID_ARGUMENT naming a key that stands twice in one table, or that is no column of both;
   *   CANCELLED; UNPROCESSABLE for a file that cannot be read
   */
  diff(
    before: LocalTable,
    after: LocalTable,
    request: RowDiffRequest,
    signal?: AbortSignal,
  ): Promise<RowDifferences>;
}

export interface RowDiffRequest {
  /** Empty: as a multiset. */
  readonly keys: readonly string[];
  /** Of all differences in their order, from 0. */
  readonly offset: number;
  readonly limit: number;
}

/** A page can have fewer rows than asked for, when they are wide. */
export interface RowDifferences extends Pick<RowDiff, 'columns' | 'rows'> {
  readonly counts: RowCounts;
  /** How many differences there are after this page. */
  readonly left: number;
}
