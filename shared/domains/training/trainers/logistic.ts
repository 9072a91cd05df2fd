import { z } from 'zod';
import { sigmoid } from '../../../core/stats/logistic.ts';
import type { LogisticModel } from '../entities.ts';
import type { Trainer } from '../trainer.ts';
import { sumTerms } from './linear-predictor.ts';
import { createDesign } from './logistic-design.ts';
import { minimise } from './logistic-newton.ts';

const logisticParamsSchema = z.strictObject({
  /** λ of the penalty λ/2 ‖w‖² on every weight but the intercept. Above 0, so that there is always one best fit. */
  l2: z.number().min(1e-6).max(1e9).default(1),
  maxIterations: z.int().min(1).max(1000).default(50),
  /** Stop when the next step would lower the objective by less than this share of it. */
  tolerance: z.number().min(1e-15).max(0.1).default(1e-12),
  /** Categories with fewer training rows share one weight. 1 keeps them all apart. */
  minCategoryRows: z.int().min(1).default(20),
});
export type LogisticParams = z.infer<typeof logisticParamsSchema>;

/**
 * L2-regularised logistic regression: the weights that minimise
 *
 *   λ/2 ‖w‖² + Σ ln(1 + e^-(±z)),  z = b + Σ w x
 *
 * by Newton's method (iteratively reweighted least squares); that sum is the objective that it reports. Numbers are standardised on the training rows, with
 * an indicator for missing ones where there are any; categories are one-hot, the rare ones pooled. In
 * scikit-learn's terms λ = 1/C over a StandardScaler and a OneHotEncoder.
 *
 * Cost an iteration: n f² for n rows of f features (a row has f nonzeros), p³/3 for p weights. Separable data
 * has a finite solution thanks to λ.
 *
 * @see Hastie, Tibshirani & Friedman, The Elements of Statistical Learning (2nd ed.), section 4.4.1
 */
export const logistic: Trainer<'binary', LogisticParams, LogisticModel> = {
  task: 'binary',
  description: 'L2-regularised logistic regression by Newton steps',
  params: logisticParamsSchema,
  async fit(table, rows, params, hooks) {
    const design = createDesign(table, rows, params.minCategoryRows);
    const { weights, report } = await minimise(design, table.labels, rows, params, hooks);
    const terms = design.terms.map((term) => term.toModelTerm(weights));
    return { model: { kind: 'logistic', intercept: weights[0]!, terms }, report };
  },
  predict(model, table, rows) {
    const logOdds = sumTerms(model.terms, table.features, rows);
    // float32, as the model's output: rows that tie there tie here.
    return { probabilities: logOdds.map((z) => Math.fround(sigmoid(z + model.intercept))) };
  },
};
