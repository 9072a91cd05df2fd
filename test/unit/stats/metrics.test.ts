import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  computeAccuracyScore,
  computeMulticlassAccuracyScore,
} from '../../../shared/core/stats/metrics/accuracy.ts';
import { computeAucScore } from '../../../shared/core/stats/metrics/auc.ts';
import { computeBaseRate } from '../../../shared/core/stats/metrics/base-rate.ts';
import { computeCalibrationErrorDistance } from '../../../shared/core/stats/metrics/calibration-error.ts';
import { computeMetrics, metrics } from '../../../shared/core/stats/metrics/catalog.ts';
import { computeLogLossDistance } from '../../../shared/core/stats/metrics/log-loss.ts';
import { computeR2Score } from '../../../shared/core/stats/metrics/r-squared.ts';

interface BinaryCase {
  readonly name: string;
  readonly probabilities: readonly number[];
  readonly labels: readonly number[];
  readonly aucScore: number;
  readonly logLossDistance: number;
  readonly accuracyScore: number;
  readonly calibrationErrorDistance: number;
  readonly baseRate: number;
}

interface MulticlassCase {
  readonly name: string;
  readonly classes: number;
  readonly probabilities: readonly number[];
  readonly labels: readonly number[];
  readonly accuracyScore: number;
  readonly logLossDistance: number;
  readonly macroF1Score: number;
}

interface RegressionCase {
  readonly name: string;
  readonly predictions: readonly number[];
  readonly targets: readonly number[];
  readonly rmseDistance: number;
  readonly maeDistance: number;
  readonly r2Score: number;
}

const golden = JSON.parse(
  readFileSync(new URL('../../golden/stats/metrics.json', import.meta.url), 'utf8'),
) as {
  readonly cases: readonly BinaryCase[];
  readonly multiclass: readonly MulticlassCase[];
  readonly regression: readonly RegressionCase[];
};

describe('metrics agree with scikit-learn', () => {
  test.each(golden.cases)('$name', (expected) => {
    const p = Float64Array.from(expected.probabilities);
    const y = Uint8Array.from(expected.labels);
    expect(computeAucScore(p, y)).toBeCloseTo(expected.aucScore, 14);
    expect(computeLogLossDistance(p, y)).toBeCloseTo(expected.logLossDistance, 12);
    expect(computeAccuracyScore(p, y)).toBe(expected.accuracyScore);
    expect(computeCalibrationErrorDistance(p, y)).toBeCloseTo(expected.calibrationErrorDistance, 13);
    expect(computeBaseRate(y)).toBeCloseTo(expected.baseRate, 15);
  });

  test('a probability of exactly the threshold is positive', () => {
    const p = Float64Array.of(0.2, 0.5, 0.5);
    expect(computeAccuracyScore(p, Uint8Array.of(0, 1, 0))).toBeCloseTo(2 / 3, 15);
    expect(computeAccuracyScore(p, Uint8Array.of(0, 1, 1))).toBe(1);
    expect(computeAccuracyScore(p, Uint8Array.of(0, 1, 1), 0.6)).toBeCloseTo(1 / 3, 15);
  });

  test('AUC is NaN for one class, and every metric is NaN for no rows', () => {
    expect(computeAucScore(Float64Array.of(0.1, 0.9), Uint8Array.of(1, 1))).toBeNaN();
    const empty = [new Float64Array(), new Uint8Array()] as const;
    for (const compute of [
      computeAucScore,
      computeLogLossDistance,
      computeAccuracyScore,
      computeCalibrationErrorDistance,
    ])
      expect(compute(...empty)).toBeNaN();
    expect(computeBaseRate(empty[1])).toBeNaN();
  });
});

describe('metrics of several classes agree with scikit-learn', () => {
  test.each(golden.multiclass)('$name', ({ classes, probabilities, labels, ...expected }) => {
    const rows = {
      classes,
      probabilities: Float64Array.from(probabilities),
      labels: Int32Array.from(labels),
    };
    const found = computeMetrics('multiclass', ['accuracyScore', 'logLossDistance', 'macroF1Score'], rows);
    expect(found.accuracyScore).toBe(expected.accuracyScore);
    expect(found.logLossDistance).toBeCloseTo(expected.logLossDistance, 12);
    expect(found.macroF1Score).toBeCloseTo(expected.macroF1Score, 14);
  });

  test('normalises probabilities whose sum is close to 1', () => {
    const rows = { classes: 2, labels: Int32Array.of(0) };
    const halves = computeMetrics('multiclass', ['logLossDistance'], {
      ...rows,
      probabilities: Float64Array.of(0.25, 0.25),
    });
    expect(halves.logLossDistance).toBeCloseTo(Math.LN2, 15);
  });

  test('a NaN never wins a row', () => {
    const probabilities = Float64Array.of(NaN, 0.2, 0.1);
    expect(computeMulticlassAccuracyScore({ classes: 3, probabilities, labels: Int32Array.of(1) })).toBe(1);
  });
});

describe('metrics of numbers agree with scikit-learn', () => {
  test.each(golden.regression)('$name', ({ predictions, targets, ...expected }) => {
    const rows = { predictions: Float64Array.from(predictions), targets: Float64Array.from(targets) };
    const found = computeMetrics('regression', ['rmseDistance', 'maeDistance', 'r2Score'], rows);
    expect(found.rmseDistance).toBeCloseTo(expected.rmseDistance, 12);
    expect(found.maeDistance).toBeCloseTo(expected.maeDistance, 12);
    expect(found.r2Score).toBeCloseTo(expected.r2Score, 12);
  });

  test('R² is NaN for a constant target', () => {
    expect(computeR2Score(Float64Array.of(3, 4), Float64Array.of(3, 3))).toBeNaN();
  });
});

test('every metric is NaN for no rows', () => {
  const probabilities = new Float64Array();
  const multiclass = { classes: 3, probabilities, labels: new Int32Array() };
  expect(
    computeMetrics('multiclass', ['accuracyScore', 'logLossDistance', 'macroF1Score'], multiclass),
  ).toEqual({ accuracyScore: NaN, logLossDistance: NaN, macroF1Score: NaN });
  const regression = { predictions: probabilities, targets: probabilities };
  expect(computeMetrics('regression', ['rmseDistance', 'maeDistance', 'r2Score'], regression)).toEqual({
    rmseDistance: NaN,
    maeDistance: NaN,
    r2Score: NaN,
  });
});

test.each(Object.entries(metrics))(
  'the name of %s states which direction is better',
  (name, { direction }) => {
    const suffix = { higher: /Score$/, lower: /Distance$/, none: /Rate$/ }[direction];
    expect(name).toMatch(suffix);
  },
);
