import * as durable from 'durable-functions';
import { validate } from '../shared/core/validate.ts';
import {
  type DurableTasks,
  orchestrate,
  type RunResult,
  type StepCall,
} from '../shared/domains/pipelines/orchestrate.ts';
import { scheduleSchema } from '../shared/domains/pipelines/plan.ts';
import { durableNames, type OrchestrationInput } from './hosting/durable.ts';
import { toLogger } from './hosting/logger.ts';
import { app } from './hosting/start.ts';

/** One orchestrator for every pipeline: it follows the plan that it is started with. */
durable.app.orchestration(durableNames.orchestrator, function* (context) {
  const { runId, plan } = context.df.getInput<OrchestrationInput>();
  return yield* orchestrate(runId, validate(scheduleSchema, plan, 'plan'), toTasks(context.df));
});

durable.app.activity(durableNames.step, {
  handler: (call: StepCall, context) => app.pipelines.runStep(call, toLogger(context)),
});

durable.app.activity(durableNames.finish, {
  handler: async ({ runId, result }: { runId: string; result: RunResult }) => {
    await app.pipelines.runs.finish(runId, result);
    return runId;
  },
});

/** For about an hour: without its last act a run would look as if it went on forever. */
const finishRetry = new durable.RetryOptions(1_000, 20);
finishRetry.backoffCoefficient = 2;
finishRetry.maxRetryIntervalInMilliseconds = 300_000;

function toTasks(df: durable.DurableOrchestrationContext): DurableTasks<durable.Task> {
  return {
    callStep: (call) => df.callActivity(durableNames.step, call),
    finish: (runId, result) => df.callActivityWithRetry(durableNames.finish, finishRetry, { runId, result }),
    all: (tasks) => df.Task.all([...tasks]),
    sleep: (ms) => df.createTimer(new Date(df.currentUtcDateTime.getTime() + ms)),
    setStatus: (status) => df.setCustomStatus(status),
  };
}
