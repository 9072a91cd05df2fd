import type { z } from 'zod';
import type { PlacedFault } from '../../core/faults.ts';
import type { JsonSchema } from '../../core/json/json-schema.ts';
import type { Logger } from '../../core/logger.ts';

/** One schema for each input, by the input's name. An optional schema makes an optional input. */
export type InputSchemas = Readonly<Record<string, z.ZodType>>;

/**
 * One kind of work that a pipeline can do. A plan may use a kind several times, and each use runs at least once: what a
 * step writes is named after its inputs, or keyed by `idempotencyKeyOf`. Its output is small (8 KB); anything larger is a
 * blob whose reference it returns.
 */
export interface TypedStep<
  Services,
  Params extends z.ZodType,
  Inputs extends InputSchemas,
  Output extends z.ZodType,
> {
  readonly description: string;
  /** Strict at every depth, so that a misspelt parameter is refused. */
  readonly params: Params;
  /** The outputs that it reads. A pipeline binds each input to a step, by name. */
  readonly input: Inputs;
  readonly output: Output;
  /**
   * What is known of the output when the pipeline is declared: narrower than `output`.
   *
   * @param given what is known of the outputs that the bound inputs read
   */
  narrowOutput?(
    params: z.output<Params>,
    given: { readonly [Name in keyof Inputs]?: z.ZodType | undefined },
  ): z.ZodType;
  /**
   * Finds faults that no schema shows when the pipeline is declared.
   *
   * @param params resolved, but not checked: they may have faults of their own
   * @param given the outputs that the bound inputs will have, as far as they are known
   * @returns faults whose paths begin in the parameters
   */
  check?(
    params: Readonly<Record<string, unknown>>,
    given: { readonly [Name in keyof Inputs]?: JsonSchema },
  ): readonly PlacedFault[];
  run(
    call: StepValues<z.output<Params>, { readonly [Name in keyof Inputs]: z.output<Inputs[Name]> }>,
    context: StepContext<Services>,
  ): Promise<z.output<Output>>;
}

export interface StepValues<Params, Input> {
  readonly params: Params;
  readonly input: Input;
}

/** A step whose types have been forgotten: its schemas check what it is given. */
export type Step<Services> = TypedStep<Services, z.ZodType, InputSchemas, z.ZodType>;

/** What planning needs to know of a step. */
export type StepKind = Omit<Step<never>, 'run'>;

export interface StepContext<Services> {
  readonly runId: string;
  /** The step's name, unique in the run. */
  readonly step: string;
  readonly codeVersion: string;
  readonly services: Services;
  readonly logger: Logger;
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal;
  /** Reports progress; cheap to call often. */
  readonly report: (fraction: number, message: string) => void;
}

/**
 * Identifies one step of one run, however often it is repeated. A run alone identifies nothing that a step writes: its
 * plan may use the same kind twice. At most 200 characters.
 *
 * @example
 * idempotencyKeyOf({ runId: 'late-flights-v3', step: 'register' }) // 'late-flights-v3.register'
 */
export function idempotencyKeyOf({ runId, step }: Pick<StepContext<unknown>, 'runId' | 'step'>): string {
  // No step name contains a dot, so keys of different pairs differ.
  return `${runId}.${step}`;
}
