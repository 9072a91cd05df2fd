import { z } from 'zod';
import type { JsonObject } from '../../core/json/json.ts';
import { jsonObjectSchema } from '../../core/validate.ts';

/** Ids of tables, blobs and log lines contain step names: no upper case, no dots. */
export const stepName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be 1–63 of a–z, 0–9 and "-", starting with a letter');

export const retrySchema = z.strictObject({
  maxAttempts: z.int().min(1).max(20),
  firstDelayMs: z.int().min(0).max(3_600_000),
  /** Each further delay is this many times the one before it. */
  backoff: z.number().min(1).max(10),
});
export type RetryPolicy = z.infer<typeof retrySchema>;

/** Rides out an outage of about a quarter of an hour. */
export const defaultRetry: RetryPolicy = { maxAttempts: 8, firstDelayMs: 1_000, backoff: 3 };

/** One step of a pipeline, as data. */
export const definedStepSchema = z.strictObject({
  /** Unique in the pipeline. */
  name: stepName,
  /** A kind of step of the catalog: `train-model`. */
  uses: z.string(),
  /** Its parameters: literals, or `${{ params.<name> }}` in place of any value. */
  with: jsonObjectSchema.optional(),
  /** The step whose output each input reads. */
  input: z.record(z.string(), z.string()).optional(),
  /** Steps that must have succeeded before, besides those that it reads. */
  needs: z.array(z.string()).max(100).optional(),
  retry: retrySchema.optional(),
});

export const definedStepsSchema = z.array(definedStepSchema).min(1).max(100);

/** Built-in or declared. */
export interface DefinedStep {
  readonly name: string;
  readonly uses: string;
  readonly with?: JsonObject | undefined;
  readonly input?: Readonly<Record<string, string>> | undefined;
  readonly needs?: readonly string[] | undefined;
  readonly retry?: RetryPolicy | undefined;
}

/** A built-in pipeline: its parameters and its steps. `version` goes up when the steps change. */
export interface PipelineDefinition {
  readonly description: string;
  readonly version: number;
  readonly params: z.ZodObject;
  readonly steps: readonly DefinedStep[];
}
