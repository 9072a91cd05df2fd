import type { Column } from '../schema/column.ts';
import type { Profile } from './profile.ts';

export interface TableProfiler {
  /**
   * Computes exact figures of every column of a version. They do not depend on the order of rows, the number of threads,
   * or the distribution of rows over files.
   *
   * @param paths local Parquet files. A column that a file lacks is null in all its rows
   * @param columns the version's schema
   * @throws AppError CANCELLED; UNPROCESSABLE for a file that cannot be read; INSUFFICIENT_STORAGE when the disk is full
   */
  profile(paths: readonly string[], columns: readonly Column[], work: ProfileWork): Promise<Profile>;
}

export interface ProfileWork {
  readonly signal?: AbortSignal;
  /** Called after each column. */
  readonly report?: (fraction: number, message: string) => void;
  readonly limits?: Partial<ProfileLimits>;
}

/** Limits on the size of a profile. They default by the number of columns (see `choose-limits.ts`). */
export interface ProfileLimits {
  readonly topValues: number;
  /** Longer texts are cut to this many code points. */
  readonly textChars: number;
  readonly histogramBuckets: number;
  /** Quantiles at 1, 5, 25, 50, 75, 95 and 99 percent, and these. */
  readonly quantiles: 'every-percent' | 'every-5-percent' | 'seven';
  /** Of the columns as JSON. Columns beyond it keep their counts only. */
  readonly maxBytes: number;
}
