import { computeAccuracyScore } from '../../core/stats/metrics/accuracy.ts';
import { computeAucScore } from '../../core/stats/metrics/auc.ts';
import { computeBaseRate } from '../../core/stats/metrics/base-rate.ts';
import { computeCalibrationErrorDistance } from '../../core/stats/metrics/calibration-error.ts';
import { computeLogLossDistance } from '../../core/stats/metrics/log-loss.ts';
import type { HoldoutMetrics } from './entities.ts';

/**
 * @param probabilities One a holdout row.
 * @param labels 0 or 1 a holdout row; both must occur, or the AUC is NaN.
 */
export function evaluate(probabilities: Float64Array, labels: Uint8Array): HoldoutMetrics {
  return {
    aucScore: computeAucScore(probabilities, labels),
    logLossDistance: computeLogLossDistance(probabilities, labels),
    accuracyScore: computeAccuracyScore(probabilities, labels),
    calibrationErrorDistance: computeCalibrationErrorDistance(probabilities, labels),
    baseRate: computeBaseRate(labels),
  };
}
