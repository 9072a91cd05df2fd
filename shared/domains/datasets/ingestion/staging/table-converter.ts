import type { BadRow, TextChunk } from '../../../../formats/tabular/text-chunk.ts';
import type { Column } from '../../schema/column.ts';
import type { RowConstraint } from '../../schema/constraints.ts';
import type { ColumnSurvey } from '../../schema/survey.ts';
import type { LocalDataFile } from './local-data-file.ts';

export interface TableConverters {
  /**
   * Opens a converter for one ingestion, which disposes of it.
   *
   * @param options.directory the only folder that the converter reads and writes: chunks, Parquet files and results
   *   are in it or below
   * @param options.columns the file's number of columns if known: wide files reserve more memory
   */
  open(options: { readonly directory: string; readonly columns?: number }): Promise<TableConverter>;
}

/**
 * Converts rows to typed Parquet files. Calls may overlap; those beyond its number of threads queue. All methods throw
 * CANCELLED when the signal aborts, and UNPROCESSABLE for an invalid file.
 */
export interface TableConverter extends AsyncDisposable {
  /**
   * Counts what kinds of values each column of a text chunk holds. CSV: the columns of the header. JSON Lines: the keys
   * in order of appearance. A JSON string counts as `text` unless it is a date, a time, NaN or infinity. Lines that are
   * not objects are skipped.
   *
   * @throws UNPROCESSABLE for more than 10,000 keys
   */
  survey(chunk: TextChunk, signal: AbortSignal): Promise<readonly ColumnSurvey[]>;
  /**
   * Converts a text chunk. Good rows become one Parquet file in their order; each bad row is reported with its first
   * fault. Equal chunks and options give equal bytes. A column that the chunk lacks is null in all rows. The caller
   * removes the file.
   *
   * @throws INVALID_ARGUMENT for a header with a column that is not among `options.columns`
   */
  convert(chunk: TextChunk, options: ConvertOptions): Promise<ConvertedChunk>;
  /** The columns that a Parquet file would have as a dataset. @throws UNPROCESSABLE naming an unsupported column */
  inspectParquetColumns(path: string, signal: AbortSignal): Promise<readonly Column[]>;
  /** Converts a Parquet file, cut into chunks by content. A bad row's `raw` is the row as JSON. */
  convertParquet(path: string, options: ConvertOptions): AsyncIterable<ConvertedChunk>;
  /**
   * Finds rows that equal an earlier row of the same or an earlier file in some columns. Null equals nothing. In order
   * of files and rows, in batches of at most 2,048.
   *
   * @param files the data files of a version, in order
   */
  findDuplicates(
    files: readonly string[],
    columns: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<readonly DuplicateRow[]>;
  /** Copies a data file without some of its rows (numbers from 0, ascending), and returns those rows as JSON. */
  removeRows(
    path: string,
    rows: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly file?: LocalDataFile; readonly removed: readonly string[] }>;
}

export interface ConvertOptions {
  readonly columns: readonly Column[];
  readonly constraints: readonly RowConstraint[];
  /** Columns whose type may still change: the conversion surveys their values. */
  readonly undecided?: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

export interface ConvertedChunk {
  /** Omitted when there are no good rows. */
  readonly file?: LocalDataFile;
  /** In row order; each bad row once, with its first fault. */
  readonly bad: readonly BadRow[];
  /**
   * The kinds of values that the columns hold. A value that fits its column's type counts as that type, any other value
   * as what it is. Includes JSON keys that are not columns. Merged over all chunks, the surveys infer the same columns
   * as a survey of the whole file. Empty for Parquet.
   */
  readonly survey: readonly ColumnSurvey[];
}

export interface DuplicateRow {
  /** Index into the given files. */
  readonly file: number;
  /** Row number in that file, from 0. */
  readonly row: number;
}
