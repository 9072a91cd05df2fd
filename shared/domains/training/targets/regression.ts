import { AppError } from '../../../core/errors.ts';
import { checkPlainLabel } from './plain-label.ts';
import type { TargetKind } from './target.ts';

/** The number in a column. */
export const regressionTarget: TargetKind<'regression'> = {
  as: 'number',
  outputNames: ['prediction'],
  checkLabel: checkPlainLabel,
  create(rows, { column }) {
    const targets = new Float64Array(rows);
    return {
      target: { targets },
      fill: (batch, firstRow) => {
        if (batch.as === 'category') throw new AppError('INTERNAL', 'The label was read as a category.');
        for (const [index, value] of batch.values.entries()) {
          if (Math.abs(value) === Infinity)
            throw new AppError(
              'UNPROCESSABLE',
              `The label's column "${column}" holds ${value} in row ${firstRow + index}.`,
              { column, row: firstRow + index },
            );
          targets[firstRow + index] = value;
        }
      },
    };
  },
  isLabelled: ({ targets }, row) => !Number.isNaN(targets[row]),
  pick: ({ targets }, rows) => ({ targets: Float64Array.from(rows, (row) => targets[row]!) }),
  check({ targets }, which) {
    if (targets.length > 0) return;
    throw new AppError('UNPROCESSABLE', `The ${which} rows cannot be used: there are none.`, { rows: 0 });
  },
};
