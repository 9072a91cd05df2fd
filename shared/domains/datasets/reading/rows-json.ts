import type { RowsAnswer } from './dataset-reading.ts';

/**
 * An answer of rows as JSON. The rows are JSON already, and stay as they are: parsing them would cost most of the
 * time, and digits.
 *
 * @example
 * rowsJson({ dataset: 'a', version: 0, columns: [], rows: { text: '[1],[2]', count: 2 } }) // '{"dataset":"a","version":0,"columns":[],"rows":[[1],[2]]}'
 */
export function rowsJson({ rows, ...rest }: RowsAnswer): string {
  return `${JSON.stringify(rest).slice(0, -1)},"rows":[${rows.text}]}`;
}
