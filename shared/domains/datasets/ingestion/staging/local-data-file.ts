/** A Parquet file of typed rows on this machine. */
export interface LocalDataFile {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly rows: number;
  readonly stats: DataFileStats;
}

/** Statistics for Delta, with values as text (see `formats/delta/stats/stats.ts`). A column may be missing. */
export interface DataFileStats {
  readonly columns: readonly ColumnStats[];
}

export interface ColumnStats {
  readonly column: string;
  readonly nulls: number;
  /** Omitted for a column that is all null, holds NaN or infinity, or is boolean or binary. */
  readonly min?: string;
  readonly max?: string;
}
