import { z } from 'zod';
import type { PredictionKind } from '../../core/stats/metrics/metric.ts';
import { timestampParts } from '../../core/timestamps.ts';

const columnName = z.string().min(1).max(200);

/** One input of a model: a column, or a calendar part of a timestamp column, as a number or as a category. */
const featureSchema = z.strictObject({
  column: columnName,
  kind: z.enum(['numeric', 'categorical']),
  part: z.enum(timestampParts).optional(),
  /** The model's input name; the column's name, with `.part` for a part, unless given. */
  name: columnName
    .refine((name) => !name.startsWith('/'), 'names that begin with "/" are the model\'s own')
    .optional(),
});
export type Feature = z.infer<typeof featureSchema>;

/**
 * What is to be predicted. For a binary task a yes/no question about a column: is `delay >= 15`? For the others the
 * column itself: its categories, or its numbers. Rows where the column is null are left out.
 */
const labelSchema = z
  .strictObject({
    column: columnName,
    op: z.enum(['>=', '>', '<=', '<', '==']).optional(),
    value: z.number().optional(),
  })
  .refine(
    ({ op, value }) => (op === undefined) === (value === undefined),
    'give both op and value (a yes/no question) or neither (the column itself)',
  );
export type Label = z.infer<typeof labelSchema>;

/** Everything that decides a training, apart from the data: equal specs and data give equal model bytes. */
export const trainingSpecSchema = z
  .strictObject({
    features: z.array(featureSchema).min(1).max(1000),
    label: labelSchema,
    /** The share of rows kept out of training to measure the model. */
    holdoutShare: z.number().min(0.01).max(0.9).default(0.2),
    seed: z.int().min(0).max(0xffff_ffff).default(0),
    trainer: z.strictObject({
      name: z.string().min(1),
      /** Checked by the trainer's own schema. */
      params: z.record(z.string(), z.unknown()).default({}),
    }),
  })
  .superRefine((spec, context) => {
    const names = new Set<string>();
    for (const [index, feature] of spec.features.entries()) {
      const name = featureName(feature);
      const problem =
        feature.column === spec.label.column
          ? `column "${feature.column}" is the label: as a feature it would leak the answer`
          : name.startsWith('/')
            ? `"${name}" is reserved: give the feature another name`
            : names.has(name)
              ? `two features are named "${name}"`
              : undefined;
      if (problem !== undefined)
        context.addIssue({ code: 'custom', message: problem, path: ['features', index] });
      names.add(name);
    }
  });
export type TrainingSpec = z.infer<typeof trainingSpecSchema>;

/**
 * @example
 * featureName({ column: 'date', kind: 'categorical', part: 'hourOfDay' }) // 'date.hourOfDay'
 */
export function featureName(feature: Feature): string {
  return feature.name ?? (feature.part === undefined ? feature.column : `${feature.column}.${feature.part}`);
}

/** The values a category can take: texts, or whole numbers for calendar parts. Codes index into them. */
export type CategoryKeys =
  | { readonly type: 'string'; readonly values: readonly string[] }
  | { readonly type: 'int64'; readonly values: readonly number[] };

/** One feature over all rows. Numbers are float32, as the model will see them (null: NaN; no code: -1). */
export type FeatureColumn =
  | { readonly kind: 'numeric'; readonly name: string; readonly values: Float32Array }
  | {
      readonly kind: 'categorical';
      readonly name: string;
      readonly codes: Int32Array;
      readonly keys: CategoryKeys;
    };

/** What there is to learn, one entry a row, by the kind of prediction. */
export interface Targets {
  /** 0 or 1; `unlabelled` where the label's column is null. */
  readonly binary: { readonly labels: Uint8Array };
  /** Codes into `classes`; -1 where the label's column is null. */
  readonly multiclass: { readonly labels: Int32Array; readonly classes: CategoryKeys };
  /** NaN where the label's column is null. */
  readonly regression: { readonly targets: Float64Array };
}
export const unlabelled = 255;

/** All rows in memory, as small as they get: about 4 bytes for each feature of each row. */
export type TrainingTable<Kind extends PredictionKind> = Targets[Kind] & {
  readonly rows: number;
  readonly features: readonly FeatureColumn[];
};

/**
 * One summand of a linear predictor: of a logistic model's log-odds, of a regression's value. Missing numbers add a
 * constant, missing and unseen categories add 0.
 */
export type LinearTerm =
  | {
      readonly kind: 'numeric';
      readonly name: string;
      /** Adds `(x - centre) * weight`, or `missing` when x is NaN. */
      readonly centre: number;
      readonly weight: number;
      readonly missing: number;
    }
  | {
      readonly kind: 'categorical';
      readonly name: string;
      readonly keys: CategoryKeys;
      /** The weight of each key. */
      readonly weights: readonly number[];
    };

export interface LogisticModel {
  readonly kind: 'logistic';
  readonly intercept: number;
  readonly terms: readonly LinearTerm[];
}

/** Every kind of model that the ONNX writer can write. */
export type TrainedModel = LogisticModel;

/** How the fitting went. */
export interface FitReport {
  readonly iterations: number;
  /** Whether the fit reached its own stopping rule, rather than its limit of iterations. */
  readonly converged: boolean;
  /** What the trainer minimises, over the training rows; the trainer's documentation defines it. */
  readonly objective: number;
  /** Numbers that were learnt. */
  readonly parameters: number;
}
