import { z } from 'zod';
import { faultSchema } from '../../core/faults.ts';
import type { JsonObject, JsonValue } from '../../core/json/json.ts';
import { jsonObjectSchema } from '../../core/validate.ts';
import { datasetName } from '../../core/names/dataset-name.ts';
import { definedStepsSchema } from './definition.ts';
import type { StepError } from './orchestrate.ts';
import type { OldPlan, Plan } from './plan.ts';

export const pipelineName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be 1–63 of a–z, 0–9 and "-", starting with a letter')
  .meta({ examples: ['late-flights'] });

/** What a user declares: what runs, when, and with what. */
export const pipelineBodySchema = z.strictObject({
  definition: z
    .string()
    .optional()
    .describe('A built-in pipeline: `train-classifier`. Left out when `steps` are given.'),
  steps: definedStepsSchema.optional().describe('The steps of a pipeline of your own.'),
  on: z
    .strictObject({ dataset: datasetName })
    .optional()
    .describe('Each new version of this dataset starts a run, with the parameters `dataset` and `version`.'),
  params: jsonObjectSchema.default({}),
});
export type PipelineBody = z.infer<typeof pipelineBodySchema>;

/** A declaration that works, for people to begin with. */
export const examplePipeline = {
  definition: 'train-classifier',
  on: { dataset: 'flights' },
  params: {
    model: 'late-flights',
    training: {
      features: [{ column: 'distance', kind: 'numeric' }],
      label: { column: 'delay', op: '>=', value: 15 },
      trainer: { name: 'logistic' },
    },
    gate: { metric: 'aucScore', atLeast: 0.6 },
  },
};

export const pipelineSchema = pipelineBodySchema.extend({
  name: pipelineName,
  updatedAt: z.number(),
  updatedBy: z.string(),
});
export type Pipeline = z.infer<typeof pipelineSchema>;

/** A pipeline as the API shows it. */
export const pipelineViewSchema = pipelineSchema.extend({
  faults: z
    .array(faultSchema)
    .optional()
    .describe('Why it cannot run, when this build no longer accepts what was declared: declare it again.'),
});
export type PipelineView = z.infer<typeof pipelineViewSchema>;

/** `superseded`: its input was replaced or removed meanwhile, so no work was left. */
export const runStatuses = ['pending', 'running', 'succeeded', 'failed', 'cancelled', 'superseded'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** One run of a pipeline, as stored. Each step's state is a document of its own. */
export interface Run {
  readonly runId: string;
  readonly pipeline: string;
  /** One of an earlier build can be shown, but not done. */
  readonly plan: Plan | OldPlan;
  /** Why it runs: the event, or the person. */
  readonly cause: JsonObject;
  readonly codeVersion: string;
  readonly status: RunStatus;
  readonly createdAt: number;
  readonly endedAt?: number;
  readonly cancelledBy?: string;
  readonly outputs?: Readonly<Record<string, JsonValue>>;
  readonly error?: StepError & { readonly step: string };
}

export interface StepRun {
  readonly step: string;
  readonly status: 'running' | 'succeeded' | 'failed';
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly progress?: StepProgress;
  readonly output?: JsonValue;
  readonly error?: StepError;
}

export interface StepProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly message: string;
  readonly at: number;
}

export const stepRunSchema = z.object({
  step: z.string(),
  status: z.enum(['waiting', 'running', 'succeeded', 'failed']),
  attempt: z.int(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  progress: z.object({ fraction: z.number(), message: z.string(), at: z.number() }).optional(),
  error: z.object({ code: z.string(), message: z.string(), retry: z.boolean() }).optional(),
});

/** A run as the API shows it. */
export const runViewSchema = z.object({
  runId: z.string(),
  pipeline: z.string(),
  /** Left out for a pipeline with steps of its own. */
  definition: z.string().optional(),
  status: z.enum(runStatuses),
  cause: jsonObjectSchema,
  params: jsonObjectSchema,
  codeVersion: z.string(),
  createdAt: z.number(),
  endedAt: z.number().optional(),
  steps: z.array(stepRunSchema),
  outputs: jsonObjectSchema.optional(),
  error: z.object({ code: z.string(), message: z.string(), retry: z.boolean(), step: z.string() }).optional(),
});
export type RunView = z.infer<typeof runViewSchema>;
