import { z } from 'zod';
import { jsonObjectSchema } from '../../core/validate.ts';
import { retrySchema, stepName } from './definition.ts';

const plannedStepSchema = z.object({
  name: stepName,
  /** The step's entry in the catalog. */
  uses: z.string(),
  /** Its parameters, every reference replaced and every default filled in. */
  with: jsonObjectSchema,
  /** The step whose output each input reads. */
  input: z.record(z.string(), z.string()),
  /** Every step that must have succeeded before: those it reads, and those it only follows. */
  needs: z.array(z.string()),
  retry: retrySchema,
});
export type PlannedStep = z.infer<typeof plannedStepSchema>;

/** Goes up when plans get another shape. Format 1, which had no such member, gave every step all parameters. */
export const planFormat = 2;

/**
 * A pipeline, resolved: everything that a run does, kept in the run, so that a deployment in the middle of it changes
 * nothing. At most 100 steps.
 */
export interface Plan {
  readonly format: typeof planFormat;
  readonly pipeline: string;
  /** The built-in definition; left out when the pipeline has steps of its own. */
  readonly definition?: string | undefined;
  readonly definitionVersion?: number | undefined;
  readonly params: z.infer<typeof jsonObjectSchema>;
  readonly steps: readonly PlannedStep[];
}

/** What runs that were planned by an earlier build have for a plan: enough to show them. */
export interface OldPlan {
  readonly format?: undefined;
  readonly pipeline: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly params: z.infer<typeof jsonObjectSchema>;
  readonly steps: readonly Pick<PlannedStep, 'name' | 'uses' | 'needs' | 'retry'>[];
}

/** As much of a plan, old or new, as the orchestration needs. */
export const scheduleSchema = z.object({
  steps: z
    .array(
      plannedStepSchema.pick({ name: true, needs: true, retry: true }).extend({
        input: plannedStepSchema.shape.input.default({}),
      }),
    )
    .min(1)
    .max(100),
});
export type ScheduledStep = z.infer<typeof scheduleSchema>['steps'][number];
export interface Schedule {
  readonly steps: readonly ScheduledStep[];
}
