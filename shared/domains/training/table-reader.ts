/** What a column can serve as. `other` (a list, a blob, an interval) serves as nothing. */
export type ColumnKind = 'integer' | 'float' | 'boolean' | 'string' | 'timestamp' | 'other';

export interface TableColumn {
  readonly name: string;
  /** The type as the table's format names it, for people: `BIGINT`, `TIMESTAMP`, `DECIMAL(10,2)`. */
  readonly type: string;
  readonly kind: ColumnKind;
}

export interface TableShape {
  readonly rows: number;
  readonly columns: readonly TableColumn[];
}

/**
 * How a column is to be read:
 * - `number`: as a double (null: NaN);
 * - `timestamp`: as milliseconds since the Unix epoch, a time without a zone taken as UTC (null: NaN);
 * - `category`: as an index into the column's sorted distinct texts (null and the empty text: -1).
 */
export interface ColumnRequest {
  readonly name: string;
  readonly as: 'number' | 'timestamp' | 'category';
}

/** Numbers and timestamps arrive as numbers. */
export type ColumnBatch =
  | { readonly as: 'number'; readonly values: Float64Array }
  | { readonly as: 'category'; readonly codes: Int32Array };

/** Consecutive rows, column by column, in the order of the request. The arrays are reused by the next batch. */
export interface TableBatch {
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: readonly ColumnBatch[];
}

export interface TableScan {
  readonly rows: number;
  /** For each requested column its distinct texts in code-point order; null unless read as `category`. */
  readonly categories: readonly (readonly string[] | null)[];
  /** All rows once, in the table's own order, in bounded memory. Leaving the loop early is fine. */
  batches(): AsyncIterable<TableBatch>;
  close(): void;
}

/**
 * Reads tables column by column. Every implementation throws `AppError`:
 * NOT_FOUND when there is no file, UNPROCESSABLE when it is not a readable table (and says what is wrong with
 * it), INVALID_ARGUMENT for a column that does not exist or cannot be read as asked, CANCELLED on abort.
 */
export interface TableReader {
  /** @param paths the local files of one table, in the order of their rows; a column that some lack is null in those */
  inspect(paths: readonly string[], signal?: AbortSignal): Promise<TableShape>;
  scan(paths: readonly string[], columns: readonly ColumnRequest[], signal?: AbortSignal): Promise<TableScan>;
}
