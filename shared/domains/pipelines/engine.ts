import type { Run } from './entities.ts';

/** What runs plans durably: Durable Functions. The port of the pipelines domain towards it. */
export interface PipelineEngine {
  /** Starts a run once: an id that the engine already knows, in whatever state, is left alone. */
  start(runId: string, plan: Run['plan']): Promise<void>;
  /** @returns undefined when the engine never heard of the run. */
  status(runId: string): Promise<EngineStatus | undefined>;
  terminate(runId: string, reason: string): Promise<void>;
}

export type EngineStatus = 'pending' | 'running' | 'completed' | 'failed' | 'terminated';
