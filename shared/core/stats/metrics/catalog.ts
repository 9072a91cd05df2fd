import { accuracyScore } from './accuracy.ts';
import { aucScore } from './auc.ts';
import { baseRate } from './base-rate.ts';
import { calibrationErrorDistance } from './calibration-error.ts';
import { logLossDistance } from './log-loss.ts';
import { macroF1Score } from './macro-f1.ts';
import { maeDistance } from './mean-absolute-error.ts';
import type { Metric, PredictionKind, ScoredRows } from './metric.ts';
import { r2Score } from './r-squared.ts';
import { rmseDistance } from './root-mean-squared-error.ts';

/** Every metric, by the name under which it is recorded. */
export const metrics = {
  aucScore,
  logLossDistance,
  accuracyScore,
  calibrationErrorDistance,
  baseRate,
  macroF1Score,
  rmseDistance,
  maeDistance,
  r2Score,
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

/** The metrics that one kind of prediction has. */
export type MetricNameOf<Kind extends PredictionKind> = {
  [Name in MetricName]: Kind extends keyof (typeof metrics)[Name]['compute'] ? Name : never;
}[MetricName];

/**
 * Computes the named metrics of predictions of one kind.
 *
 * @returns One value a name, in the order of `names`; NaN where the rows do not define it (see the metric).
 * @example
 * const rows = { predictions: Float64Array.of(1, 5), targets: Float64Array.of(1, 2) };
 * computeMetrics('regression', ['maeDistance'], rows) // { maeDistance: 1.5 }
 */
export function computeMetrics<Kind extends PredictionKind, Name extends MetricNameOf<Kind>>(
  kind: Kind,
  names: readonly Name[],
  rows: ScoredRows<Kind>,
): Readonly<Record<Name, number>> {
  const values = names.map((name) => {
    const { compute }: Metric = metrics[name];
    const entry: [Name, number] = [name, compute[kind]?.(rows) ?? NaN];
    return entry;
  });
  return Object.fromEntries(values) as Record<Name, number>;
}
