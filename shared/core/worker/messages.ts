import type { Thrown } from '../thrown.ts';

/**
 * What a job takes and gives. It takes an input, may exchange messages with its owner while it runs, and ends with an
 * output. All of them must survive a structured clone.
 */
interface WorkerJob {
  readonly input: unknown;
  readonly output: unknown;
  /** From the job to its owner: progress, or a request. */
  readonly report?: unknown;
  /** From the owner to the job: the answer to a request. */
  readonly reply?: unknown;
}

/** What a worker can do: jobs by name. */
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
      /** Of a process: it kills itself when it uses more. */
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
