/** The rules for records of a CSV file. */
export interface CsvRules {
  /** A byte. */
  readonly delimiter: number;
  readonly columns: number;
  readonly maxRecordBytes: number;
}
