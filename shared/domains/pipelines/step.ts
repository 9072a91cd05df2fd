import type { z } from 'zod';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { Logger } from '../../core/logger.ts';

/**
 * One kind of work a pipeline can do. It runs at least once: everything it writes is put-if-absent, or keyed by
 * (run, step). Its output is small (8 KB); anything larger is a blob whose reference it returns.
 */
export interface Step<Services, Params = JsonObject, Needs = JsonObject, Output = JsonValue> {
  readonly description: string;
  readonly params: z.ZodType<Params>;
  /** The outputs it reads, by the name of the step that made them. */
  readonly needs: z.ZodType<Needs>;
  readonly run: (input: StepInput<Params, Needs>, context: StepContext<Services>) => Promise<Output>;
}

export interface StepInput<Params, Needs> {
  readonly params: Params;
  readonly needs: Needs;
}

export interface StepContext<Services> {
  readonly runId: string;
  readonly codeVersion: string;
  readonly services: Services;
  readonly logger: Logger;
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal;
  /** Tells how far the step is; cheap to call often. */
  readonly report: (fraction: number, message: string) => void;
}

/** A pipeline's shape: its steps and what each needs. `version` goes up when the shape changes. */
export interface PipelineDefinition {
  readonly description: string;
  readonly version: number;
  readonly steps: readonly DefinedStep[];
}

interface DefinedStep {
  readonly name: string;
  readonly uses: string;
  readonly needs: readonly string[];
  readonly retry?: RetryPolicy;
}

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly firstDelayMs: number;
  readonly backoff: number;
}

/** Rides out an outage of about a quarter of an hour. */
export const defaultRetry: RetryPolicy = { maxAttempts: 8, firstDelayMs: 1_000, backoff: 3 };
