import { z } from 'zod';
import { timestampParts } from '../../core/timestamps.ts';

/** Names that a trained model uses itself. */
const reservedNames = ['probability', 'label'];

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

/** A yes/no question about a column: is `delay >= 15`? Rows where the column is null are left out. */
const labelSchema = z.strictObject({
  column: columnName,
  op: z.enum(['>=', '>', '<=', '<', '==']),
  value: z.number(),
});
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
          ? `column "${feature.column}" is the label: as a feature it would give the answer away`
          : reservedNames.includes(name) || name.startsWith('/')
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

/** All rows in memory, as small as they get: about 4 bytes for each feature of each row. */
export interface TrainingTable {
  readonly rows: number;
  readonly features: readonly FeatureColumn[];
  /** 0 or 1; `unlabelled` where the label's column is null. */
  readonly labels: Uint8Array;
}
export const unlabelled = 255;

/** One summand of a logistic model's log-odds. Missing and never-seen categories add 0. */
export type LogisticTerm =
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
  readonly terms: readonly LogisticTerm[];
}

/** Every kind of model a trainer can make and the ONNX writer can write. */
export type TrainedModel = LogisticModel;

/** How the fitting went. */
export interface FitReport {
  readonly iterations: number;
  readonly converged: boolean;
  /** The penalised log loss summed over the training rows. */
  readonly objective: number;
  /** Columns of the design, the intercept included. */
  readonly parameters: number;
}

/** Measured on the holdout rows with the very model that is written. */
export interface HoldoutMetrics {
  readonly aucScore: number;
  readonly logLossDistance: number;
  readonly accuracyScore: number;
  readonly calibrationErrorDistance: number;
  /** The share of positives among the holdout rows. */
  readonly baseRate: number;
}
