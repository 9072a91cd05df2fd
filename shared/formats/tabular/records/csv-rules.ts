/** What a record of a file is held against. */
export interface CsvRules {
  /** A byte. */
  readonly delimiter: number;
  readonly columns: number;
  readonly maxRecordBytes: number;
}
