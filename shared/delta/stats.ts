import type { DeltaType } from './schema.ts';

export interface FileStats {
  readonly rows: number;
  /** In the order of the schema. */
  readonly columns: readonly ColumnStats[];
}

export interface ColumnStats {
  readonly name: string;
  readonly type: DeltaType;
  readonly nulls: number;
  /**
   * As text: numbers as digits, `2026-01-02`, `2026-01-02 03:04:05.123456` (UTC, `T` and `Z` are fine). To be left out
   * when the column holds NaN or an infinity.
   */
  readonly min?: string;
  readonly max?: string;
}

/** The text of `AddFile.stats`. */
export declare function buildStats(stats: FileStats): string;
