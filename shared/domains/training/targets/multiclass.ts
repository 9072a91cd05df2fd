import { AppError } from '../../../core/errors.ts';
import { checkPlainLabel } from './plain-label.ts';
import type { TargetKind } from './target.ts';

/** The category of a column. Null and the empty text are not categories. */
export const multiclassTarget: TargetKind<'multiclass'> = {
  as: 'category',
  outputNames: ['probabilities', 'label'],
  checkLabel: checkPlainLabel,
  create(rows, _, texts) {
    const labels = new Int32Array(rows);
    return {
      target: { labels, classes: { type: 'string', values: texts } },
      fill: (batch, firstRow) => {
        if (batch.as !== 'category') throw new AppError('INTERNAL', 'The label was read as a number.');
        labels.set(batch.codes, firstRow);
      },
    };
  },
  isLabelled: ({ labels }, row) => labels[row] !== -1,
  pick: ({ labels }, rows) => ({ labels: Int32Array.from(rows, (row) => labels[row]!) }),
  check({ labels }, which) {
    const least = which === 'training' ? 2 : 1;
    if (new Set(labels).size >= least) return;
    const what = labels.length === 0 ? 'there are none' : `all ${labels.length} are of the same class`;
    throw new AppError('UNPROCESSABLE', `The ${which} rows cannot be used: ${what}.`, {
      rows: labels.length,
    });
  },
};
