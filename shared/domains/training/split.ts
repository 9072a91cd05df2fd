import { hashRow } from '../../core/stats/row-hash.ts';

export interface Split {
  readonly train: Int32Array;
  readonly holdout: Int32Array;
  /** Rows on neither side, because they have no label. */
  readonly unlabelledRows: number;
}

/**
 * Divides the labelled rows by a hash of their number: row r is held out when hash(r, seed) < share. A row's side
 * depends on its number and the seed alone, not on the other rows; the share is met on average.
 *
 * @param share 0 to 1.
 */
export function splitRows(
  rows: number,
  isLabelled: (row: number) => boolean,
  share: number,
  seed: number,
): Split {
  const train = new Int32Array(rows);
  const holdout = new Int32Array(rows);
  let trainRows = 0;
  let holdoutRows = 0;
  for (let row = 0; row < rows; row++) {
    if (!isLabelled(row)) continue;
    if (hashRow(row, seed) < share) holdout[holdoutRows++] = row;
    else train[trainRows++] = row;
  }
  return {
    train: train.slice(0, trainRows),
    holdout: holdout.slice(0, holdoutRows),
    unlabelledRows: rows - trainRows - holdoutRows,
  };
}
