import { AppError } from '../../../core/errors.ts';
import { unlabelled, type Label } from '../entities.ts';
import type { TargetKind } from './target.ts';

/** The answer to a yes/no question about a column. */
export const binaryTarget: TargetKind<'binary'> = {
  as: 'number',
  outputNames: ['probability', 'label'],
  checkLabel: ({ op }) =>
    op === undefined
      ? 'must ask a yes/no question: give op and value, such as {"column": "delay", "op": ">=", "value": 15}'
      : undefined,
  create(rows, label) {
    const labels = new Uint8Array(rows);
    return {
      target: { labels },
      fill: (batch, firstRow) => {
        if (batch.as === 'category') throw new AppError('INTERNAL', 'The label was read as a category.');
        for (const [index, value] of batch.values.entries())
          labels[firstRow + index] = Number.isNaN(value) ? unlabelled : isPositive(value, label) ? 1 : 0;
      },
    };
  },
  isLabelled: ({ labels }, row) => labels[row] !== unlabelled,
  pick: ({ labels }, rows) => ({ labels: Uint8Array.from(rows, (row) => labels[row]!) }),
  check({ labels }, which) {
    if (labels.includes(0) && labels.includes(1)) return;
    const what = labels.length === 0 ? 'there are none' : `all ${labels.length} have the same label`;
    throw new AppError('UNPROCESSABLE', `The ${which} rows cannot be used: ${what}.`, {
      rows: labels.length,
    });
  },
};

function isPositive(value: number, { op, value: bound = NaN }: Label): boolean {
  switch (op) {
    case '>=':
      return value >= bound;
    case '>':
      return value > bound;
    case '<=':
      return value <= bound;
    case '<':
      return value < bound;
    case '==':
      return value === bound;
    case undefined:
      throw new AppError('INTERNAL', 'The label asks no question.');
  }
}
