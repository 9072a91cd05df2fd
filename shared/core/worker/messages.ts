import type { Thrown } from '../thrown.ts';

/**
 * The types of a job. It gets an input, can exchange messages with its owner while it runs, and returns an output. All
 * must be structured-cloneable.
 */
interface WorkerJob {
  readonly input: unknown;
  readonly output: unknown;
  /** From the job to its owner: progress, or a request. */
  readonly report?: unknown;
  /** From the owner to the job: the answer to a request. */
  readonly reply?: unknown;
}

/** The jobs of a worker, by name. */
export type JobTable<Jobs> = { readonly [Name in keyof Jobs]: WorkerJob };

export type ReportOf<Job> = Job extends { readonly report: infer Report } ? Report : never;
export type ReplyOf<Job> = Job extends { readonly reply: infer Reply } ? Reply : never;

/** From the owner to the worker. */
export type OwnerMessage =
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly job: string;
      readonly input: unknown;
      /** A process kills itself when it uses more. */
      readonly maxRssMb?: number;
    }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: unknown };

/** From the worker to its owner. Exactly one `done` or `failed` ends a job. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'report'; readonly id: number; readonly report: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly output: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Thrown };
