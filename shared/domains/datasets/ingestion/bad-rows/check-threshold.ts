import { AppError } from '../../../../core/errors.ts';
import type { BadRows } from './bad-rows.ts';
import { countCodes } from './count-codes.ts';

/**
 * @param maxBadFraction of all rows
 * @returns the number of bad rows
 * @throws UNPROCESSABLE with examples for a file with more bad rows
 */
export function checkThreshold(
  { bad, rowsIn }: { readonly bad: readonly BadRows[]; readonly rowsIn: number },
  maxBadFraction: number,
): number {
  const rowsBad = bad.reduce((total, part) => total + part.rows, 0);
  if (rowsBad <= rowsIn * maxBadFraction) return rowsBad;
  const examples = bad.flatMap((part) => part.examples).slice(0, 100);
  const [first] = examples;
  const where = first
    ? ` The first is row ${first.row}${first.column ? `, column "${first.column}"` : ''}: ${first.reason}`
    : '';
  const codes = countCodes(bad);
  const hint =
    (codes['RAGGED_ROW'] ?? 0) * 2 > rowsIn
      ? ' Most rows and the header differ in their number of fields: remove lines before the header, such as titles or comments.'
      : '';
  throw new AppError(
    'UNPROCESSABLE',
    `${rowsBad} of ${rowsIn} rows are bad, over the limit of ${maxBadFraction * 100}% (the dataset's setting "maxBadFraction").${where}${hint}`,
    { rowsIn, rowsBad, maxBadFraction, codes, examples },
  );
}
