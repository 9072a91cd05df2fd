import type { BadRow } from '../../../../formats/tabular/text-chunk.ts';
import type { Column } from '../../schema/column.ts';
import type { RowConstraint } from '../../schema/constraints.ts';
import type { ColumnSurvey } from '../../schema/survey.ts';

/** Typed rows on this machine, as one Parquet file. */
export interface LocalDataFile {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly rows: number;
  readonly stats: DataFileStats;
}

/** As in Delta's statistics, by column, values as text (see `shared/formats/delta/stats.ts`); a column may be left out. */
export interface DataFileStats {
  readonly columns: readonly ColumnStats[];
}

export interface ColumnStats {
  readonly column: string;
  readonly nulls: number;
  /** Left out when there is none (all null, NaN or infinite values, boolean, binary). */
  readonly min?: string;
  readonly max?: string;
}

export interface ConvertOptions {
  readonly columns: readonly Column[];
  readonly constraints: readonly RowConstraint[];
  /** Columns of text whose type is not settled: surveyed in full while they are converted as given. */
  readonly undecided?: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

export interface ConvertedChunk {
  /** Left out when no row was good. */
  readonly file?: LocalDataFile;
  /** In the order of rows; each bad row once, with its first fault. */
  readonly bad: readonly BadRow[];
  /**
   * What the columns turned out to hold: values that fit their column's type as just that, each other one as what
   * it is, keys that are no column too. Merged over all chunks it infers the columns that a survey of the whole file
   * would. Empty for Parquet.
   */
  readonly survey: readonly ColumnSurvey[];
}
