import type { Column } from '../schema/column.ts';

/** A version, or a stretch of its files, on this machine. */
export interface LocalTable {
  /** Of Parquet files, in the order of their rows; one that lacks a column has nulls there. */
  readonly paths: readonly string[];
  readonly columns: readonly Column[];
}

/**
 * Reads tables outside of this process: whatever is asked can neither stall nor crash it, and reaches nothing but
 * the table's files. Waits for its turn when many ask.
 *
 * All throw CANCELLED on abort, RATE_LIMITED when too many wait, and UNPROCESSABLE for what takes too long or too
 * much memory, and for files that cannot be read.
 */
export interface TableEngine {
  /**
   * Runs one SELECT statement of a caller's.
   *
   * @throws INVALID_ARGUMENT for SQL that is wrong, or asks for what is not to be reached
   */
  query(request: QueryRequest, signal?: AbortSignal): Promise<QueryResult>;
  /** Rows in their order. @throws INVALID_ARGUMENT for a condition that is wrong, or no condition */
  readRows(request: RowsRequest, signal?: AbortSignal): Promise<RowsResult>;
  /**
   * Writes all rows into one Parquet file, unless there is one already: a table of a single file that has all of its
   * columns.
   *
   * @returns the path of the one or the other
   */
  writeParquet(table: LocalTable, path: string, signal?: AbortSignal): Promise<string>;
  /**
   * All rows as bytes of a format, at the reader's pace. Files are asked for one at a time: none is needed longer than
   * until the next is asked for. Leaving the loop ends it.
   */
  encode(
    format: StreamFormat,
    columns: readonly Column[],
    files: AsyncIterable<string>,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

export type StreamFormat = 'csv' | 'jsonl' | 'arrow';

export interface QueryRequest {
  readonly table: LocalTable;
  readonly sql: string;
  /** What the table can be called in it. */
  readonly names: readonly string[];
  readonly maxRows: number;
  /** Of the rows as JSON. */
  readonly maxBytes: number;
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: JsonRows;
  /** Why there are not all rows; left out when there are. */
  readonly cutBy?: 'rows' | 'bytes';
}

export interface RowsRequest {
  readonly table: LocalTable;
  /** Names of its columns, at least one. */
  readonly columns: readonly string[];
  /** A boolean SQL expression over its columns. */
  readonly where?: string;
  /** Rows of the table to pass over, before any condition. */
  readonly skip?: number;
  /** Only rows of these numbers, from 0. */
  readonly only?: readonly number[];
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Whether no row at all is an answer when the first is larger than that; otherwise it is UNPROCESSABLE. */
  readonly canBeEmpty?: boolean;
}

export interface RowsResult {
  readonly rows: JsonRows;
  /** Number of the row behind the last one that was looked at; left out when that was the table's last. */
  readonly next?: number;
}

/** Rows as JSON arrays of values, already as text: nothing is parsed on their way to the caller. */
export interface JsonRows {
  /** `[1,"a"],[2,null]`: what stands between the brackets of a JSON array. */
  readonly text: string;
  readonly count: number;
}
