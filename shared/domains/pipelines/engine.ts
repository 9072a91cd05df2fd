import type { Schedule } from './plan.ts';

/** What runs plans durably: Durable Functions. The port of the pipelines domain towards it. */
export interface PipelineEngine {
  /** Starts a run. One that the engine runs already, or another call has just started, is left alone. */
  start(runId: string, schedule: Schedule): Promise<void>;
  /** @returns undefined when the engine does not know the run */
  status(runId: string): Promise<EngineStatus | undefined>;
  /** Ends a run; one that the engine does not know, or that has ended, is left alone. */
  terminate(runId: string, reason: string): Promise<void>;
}

export type EngineStatus = 'pending' | 'running' | 'completed' | 'failed' | 'terminated';
