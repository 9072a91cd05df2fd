import type { Column } from '../schema/column.ts';

/** A version, or some of its files, on this machine. */
export interface LocalTable {
  /** Of Parquet files, in row order. A column that a file lacks is null in all its rows. */
  readonly paths: readonly string[];
  readonly columns: readonly Column[];
}

/**
 * Reads tables in other processes: SQL can neither stall nor crash this one, and reaches only the table's files. Calls
 * queue when too many run.
 *
 * All methods throw CANCELLED on abort, RATE_LIMITED when too many callers wait, and UNPROCESSABLE for a call that
 * exceeds its time or memory, and for files that cannot be read.
 */
export interface TableEngine {
  /**
   * Runs one SELECT statement from a caller.
   *
   * @throws INVALID_ARGUMENT for SQL that is invalid or forbidden
   */
  query(request: QueryRequest, signal?: AbortSignal): Promise<QueryResult>;
  /** Reads rows in order. @throws INVALID_ARGUMENT for an invalid condition */
  readRows(request: RowsRequest, signal?: AbortSignal): Promise<RowsResult>;
  /**
   * Writes all rows into one Parquet file, unless the table is a single file with all of its columns.
   *
   * @returns the path of the new file, or of that single file
   */
  writeParquet(table: LocalTable, path: string, signal?: AbortSignal): Promise<string>;
  /**
   * Encodes all rows, at the reader's pace. Requests files one at a time, and needs each only until it requests the next.
   * Leaving the loop stops it.
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
  /** The names of the table in the SQL. */
  readonly names: readonly string[];
  readonly maxRows: number;
  /** Of the rows as JSON. */
  readonly maxBytes: number;
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: JsonRows;
  /** Why rows are missing; omitted if none are. */
  readonly cutBy?: 'rows' | 'bytes';
}

export interface RowsRequest {
  readonly table: LocalTable;
  /** Names of its columns, at least one. */
  readonly columns: readonly string[];
  /** A boolean SQL expression over its columns. */
  readonly where?: string;
  /** Rows of the table to skip before the condition applies. */
  readonly skip?: number;
  /** Row numbers from 0; only these rows are read. */
  readonly only?: readonly number[];
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Whether the result may be empty if the first row exceeds `maxBytes`; otherwise that is UNPROCESSABLE. */
  readonly canBeEmpty?: boolean;
}

export interface RowsResult {
  readonly rows: JsonRows;
  /** Number of the row after the last one that was read; omitted at the end of the table. */
  readonly next?: number;
}

/** Rows as JSON text: they are not parsed on their way to the caller. */
export interface JsonRows {
  /** `[1,"a"],[2,null]`: the content of a JSON array. */
  readonly text: string;
  readonly count: number;
}
