import type { TextChunk } from '../../../../formats/tabular/text-chunk.ts';
import type { ConvertedChunk, ConvertOptions } from './local-data-file.ts';
import type { Column } from '../../schema/column.ts';
import type { ColumnSurvey } from '../../schema/survey.ts';

export interface TableConverters {
  /**
   * One for each ingestion, disposed with it.
   *
   * @param options.directory the only place it can read from and write to: chunks, Parquet input and results are in
   *   it or below
   * @param options.columns how many the file has, where that is known: wide ones reserve more memory
   */
  open(options: { readonly directory: string; readonly columns?: number }): Promise<TableConverter>;
}

/**
 * Types rows. Calls may overlap: two chunks at once keep two cores busy; more wait for their turn. All of them throw
 * CANCELLED when the signal fires, and UNPROCESSABLE for a file that is not what it should be.
 */
export interface TableConverter extends AsyncDisposable {
  /**
   * What the texts of each column could be. CSV: the columns of the header. JSONL: the keys in order of appearance;
   * a JSON string counts as `text` unless it is a date, a time, NaN or infinite, and lines that are no object are passed over.
   *
   * @throws UNPROCESSABLE for more than 10,000 keys
   */
  survey(chunk: TextChunk, signal: AbortSignal): Promise<readonly ColumnSurvey[]>;
  /**
   * Good rows become one Parquet file, in their order; each other row is a BadRow with its first fault. The same
   * chunk with the same options gives the same bytes. A column that the chunk does not have is null in all rows.
   * The caller removes the file when it is done with it.
   *
   * @throws INVALID_ARGUMENT for a header with a column that is not among `options.columns`
   */
  convert(chunk: TextChunk, options: ConvertOptions): Promise<ConvertedChunk>;
  /** The columns of a Parquet file, as they will be. @throws UNPROCESSABLE naming a column that cannot be kept */
  inspectParquetColumns(path: string, signal: AbortSignal): Promise<readonly Column[]>;
  /** A Parquet file in chunks that are cut by content. Rows that break a rule are BadRows; `raw` is the row as JSON. */
  convertParquet(path: string, options: ConvertOptions): AsyncIterable<ConvertedChunk>;
  /**
   * Rows that are equal, in these columns, to an earlier row of the same or an earlier file. Nulls equal nothing.
   * In order of files and rows; in batches of at most 2,048.
   *
   * @param files the data files of a version, in its order
   */
  findDuplicates(
    files: readonly string[],
    columns: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<readonly DuplicateRow[]>;
  /** A data file once more without some of its rows (numbers from 0, ascending), and those rows as JSON. */
  removeRows(
    path: string,
    rows: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly file?: ConvertedChunk['file']; readonly removed: readonly string[] }>;
}

export interface DuplicateRow {
  /** Index into the files given. */
  readonly file: number;
  /** Number of the row in that file, from 0. */
  readonly row: number;
}
