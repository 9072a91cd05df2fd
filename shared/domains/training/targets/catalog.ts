import type { PredictionKind } from '../../../core/stats/metrics/metric.ts';
import { binaryTarget } from './binary.ts';
import { multiclassTarget } from './multiclass.ts';
import { regressionTarget } from './regression.ts';
import type { TargetKind } from './target.ts';

/** How labels are read, by the task of the trainer. */
export const targetKinds: { readonly [Kind in PredictionKind]: TargetKind<Kind> } = {
  binary: binaryTarget,
  multiclass: multiclassTarget,
  regression: regressionTarget,
};
