import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { jsonObjectSchema } from '../../core/validate.ts';

const stepSchema = z.object({
  /** Unique in the plan. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  /** The step's entry in the catalog. */
  uses: z.string(),
  needs: z.array(z.string()),
  retry: z.object({
    maxAttempts: z.int().min(1).max(20),
    firstDelayMs: z.int().min(0),
    backoff: z.number().min(1),
  }),
});

/**
 * A pipeline, resolved: everything an orchestration needs to know, carried as its input, so that a deployment
 * in the middle of a run cannot change what the run does. At most 100 steps.
 */
export const planSchema = z.object({
  pipeline: z.string(),
  definition: z.string(),
  definitionVersion: z.int(),
  params: jsonObjectSchema,
  steps: z.array(stepSchema).min(1).max(100),
});

export type Plan = z.infer<typeof planSchema>;
export type PlannedStep = z.infer<typeof stepSchema>;

/**
 * Checks what a schema cannot: names are unique, needs exist, and there is no cycle.
 *
 * @returns the steps in waves: each wave needs only steps of earlier waves
 * @throws INVALID_ARGUMENT naming the step
 */
export function orderSteps(steps: readonly PlannedStep[]): PlannedStep[][] {
  const names = new Set(steps.map((step) => step.name));
  if (names.size < steps.length)
    throw new AppError('INVALID_ARGUMENT', 'Two steps of the plan have one name.');
  for (const step of steps) {
    const missing = step.needs.find((need) => !names.has(need));
    if (missing !== undefined) {
      throw new AppError(
        'INVALID_ARGUMENT',
        `The step "${step.name}" needs "${missing}", which is not in the plan.`,
      );
    }
  }
  const waves: PlannedStep[][] = [];
  const done = new Set<string>();
  while (done.size < steps.length) {
    const wave = steps.filter((step) => !done.has(step.name) && step.needs.every((need) => done.has(need)));
    if (wave.length === 0) {
      const stuck = steps.filter((step) => !done.has(step.name)).map((step) => step.name);
      throw new AppError('INVALID_ARGUMENT', `The plan has a cycle through: ${stuck.join(', ')}.`);
    }
    for (const step of wave) done.add(step.name);
    waves.push(wave);
  }
  return waves;
}
