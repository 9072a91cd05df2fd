import type { Column } from '../schema/column.ts';
import type { Profile } from './profile.ts';

export interface TableProfiler {
  /**
   * Exact figures of every column of a version; equal for equal rows, whatever the order of rows, the number of
   * threads and how the rows are spread over files.
   *
   * @param paths local Parquet files. A file may lack columns: they are null in all its rows.
   * @param columns the version's schema
   * @throws AppError CANCELLED; UNPROCESSABLE for a file that cannot be read; INSUFFICIENT_STORAGE when there is no
   *   room to spill to
   */
  profile(paths: readonly string[], columns: readonly Column[], work: ProfileWork): Promise<Profile>;
}

export interface ProfileWork {
  readonly signal?: AbortSignal;
  /** Called after each column. */
  readonly report?: (fraction: number, message: string) => void;
  readonly limits?: Partial<ProfileLimits>;
}

/** What keeps a profile small; left out, they depend on the number of columns (see `choose-limits.ts`). */
export interface ProfileLimits {
  readonly topValues: number;
  /** Longer texts are cut to so many code points. */
  readonly textChars: number;
  readonly histogramBuckets: number;
  /** Taken at 1, 5, 25, 50, 75, 95 and 99 percent, and at these. */
  readonly quantiles: 'every-percent' | 'every-5-percent' | 'seven';
  /** Of the columns as JSON; columns for which there is no room any more keep their counts only. */
  readonly maxBytes: number;
}
