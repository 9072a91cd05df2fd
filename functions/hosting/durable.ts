import type { InvocationContext } from '@azure/functions';
import * as durable from 'durable-functions';
import type { EngineStatus, PipelineEngine } from '../../shared/domains/pipelines/engine.ts';
import type { Schedule } from '../../shared/domains/pipelines/plan.ts';

/** The names under which the one orchestrator and its activities are registered. */
export const durableNames = {
  orchestrator: 'pipelineOrchestrator',
  step: 'pipelineStep',
  finish: 'pipelineFinish',
} as const;

/** What an orchestration is started with. */
export interface OrchestrationInput {
  readonly runId: string;
  readonly plan: Schedule;
}

const statuses: Record<durable.OrchestrationRuntimeStatus, EngineStatus> = {
  Pending: 'pending',
  Running: 'running',
  ContinuedAsNew: 'running',
  Suspended: 'running',
  Completed: 'completed',
  Failed: 'failed',
  Terminated: 'terminated',
  Canceled: 'terminated',
};

/** The pipelines' engine over the durable client of one invocation (the function must declare that input). */
export function toEngine(context: InvocationContext): PipelineEngine {
  const client = durable.getClient(context);
  const status = async (runId: string): Promise<EngineStatus | undefined> => {
    const found = await client.getStatus(runId).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    return found && statuses[found.runtimeStatus];
  };
  return {
    status,
    start: async (runId, schedule) => {
      const input: OrchestrationInput = { runId, plan: schedule };
      await client
        .startNew(durableNames.orchestrator, { instanceId: runId, input })
        .catch(async (error: unknown) => {
          // The extension refuses an id that runs already: another delivery was faster.
          if ((await status(runId)) === undefined) throw error;
        });
    },
    terminate: async (runId, reason) => {
      if ((await status(runId)) === undefined) return;
      await client.terminate(runId, reason);
    },
  };
}

/** The client throws plain errors: only their text says that the extension knows no such instance. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.message.includes('HTTP 404 response');
}
