import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { AppError, describeCause, retryIntent, toAppError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json/json.ts';
import { type LogFields, type Logger, withFields } from '../../core/logger.ts';
import { validate } from '../../core/validate.ts';
import type { Run, StepRun } from './entities.ts';
import { type Heartbeat, runCancelled, startHeartbeat } from './heartbeat.ts';
import type { StepCall, StepError, StepOutcome } from './orchestrate.ts';
import { planFormat, type PlannedStep } from './plan.ts';
import type { RunStore } from './run-store.ts';
import type { Step, StepValues } from './step.ts';

const maxOutputBytes = 8 * 1024;

export interface StepRunnerDeps<Services> {
  readonly store: RunStore;
  readonly steps: Readonly<Record<string, Step<Services>>>;
  readonly services: Services;
  readonly codeVersion: string;
  readonly clock: Clock;
}

/**
 * Runs one step of a run: the body of the generic activity. Called again for a step that succeeded (the engine delivers
 * at least once, and sometimes two at once), it returns the stored output and does nothing else; for a cancelled run it
 * does nothing at all. Never throws: an activity that throws can end its orchestration, while an outcome decides whether
 * to retry.
 */
export async function runStep<Services>(
  call: StepCall,
  deps: StepRunnerDeps<Services>,
  parentLogger: Logger,
): Promise<StepOutcome> {
  const logger = withFields(parentLogger, { runId: call.runId, step: call.step, attempt: call.attempt });
  try {
    const begun = await begin(call, deps);
    return 'done' in begun ? begun.done : await attempt(call, begun.run, deps, logger);
  } catch (thrown) {
    const error = toStepError(thrown);
    logger.log('warn', 'step not recorded', describeError(error, thrown));
    return { ok: false, error };
  }
}

/** @returns the run with its plan; or the step's outcome, when it is done already */
async function begin<Services>(
  { runId, step }: StepCall,
  { store }: StepRunnerDeps<Services>,
): Promise<{ readonly done: StepOutcome } | { readonly run: Run }> {
  const [run, before] = await Promise.all([store.getRun(runId), store.getStep(runId, step)]);
  if (before?.status === 'succeeded') return { done: { ok: true, output: before.output ?? null } };
  if (run.status === 'cancelled') throw runCancelled();
  if (run.status === 'pending')
    await store.updateRun(runId, (now) => (now.status === 'pending' ? { ...now, status: 'running' } : now));
  return { run };
}

/** @throws UNPROCESSABLE for a plan of an earlier build */
function findPlanned(plan: Run['plan'], name: string): PlannedStep {
  if (plan.format !== planFormat) throw plannedElsewhere();
  const planned = plan.steps.find((step) => step.name === name);
  if (planned) return planned;
  throw new AppError('UNPROCESSABLE', `The run has no step "${name}".`, { step: name });
}

function plannedElsewhere(cause?: unknown): AppError {
  return new AppError(
    'UNPROCESSABLE',
    'An earlier version of Slipway planned this run, and this one cannot continue it. Start the pipeline again; drop the file of an ingestion again.',
    {},
    cause,
  );
}

/** Checked when the pipeline was planned, by the build that planned it: another build may know another shape. */
function readValues<Services>(
  step: Step<Services>,
  { with: params }: PlannedStep,
  call: StepCall,
  isOfThisBuild: boolean,
): StepValues<unknown, Record<string, unknown>> {
  try {
    return {
      params: validate(step.params, params, `parameters of the step "${call.step}"`),
      input: validate(z.object(step.input), call.input, `inputs of the step "${call.step}"`),
    };
  } catch (error) {
    throw isOfThisBuild ? error : plannedElsewhere(error);
  }
}

async function attempt<Services>(
  call: StepCall,
  run: Run,
  deps: StepRunnerDeps<Services>,
  logger: Logger,
): Promise<StepOutcome> {
  const { store, clock } = deps;
  const startedAt = clock.now();
  const running = { step: call.step, status: 'running', attempt: call.attempt, startedAt } as const;
  await store.updateStep(call.runId, call.step, (stored) => unlessSettled(stored, running));
  logger.log('info', 'step started');
  const heart = startHeartbeat(store, call.runId, running, clock, logger);
  const ended = await execute(call, run, deps, heart, logger).then(
    (output): StepRun => ({ ...running, status: 'succeeded', endedAt: clock.now(), output }),
    (thrown: unknown): StepRun => {
      const error = toStepError(heart.signal.aborted ? heart.signal.reason : thrown);
      logger.log(error.code === 'SUPERSEDED' ? 'info' : 'warn', 'step failed', describeError(error, thrown));
      return { ...running, status: 'failed', endedAt: clock.now(), error };
    },
  );
  await heart.stop();
  const settled = await store.updateStep(call.runId, call.step, (stored) => unlessSettled(stored, ended));
  // The other delivery of the same step may have succeeded where this one failed.
  if (settled.status === 'succeeded') {
    logger.log('info', 'step succeeded', { durationMs: clock.now() - startedAt });
    return { ok: true, output: settled.output ?? null };
  }
  return { ok: false, error: ended.error ?? toStepError(runCancelled()) };
}

/** A success is final. A later attempt is newer than the news of an earlier one, unless that news is a success. */
function unlessSettled(stored: StepRun | undefined, news: StepRun): StepRun {
  if (stored === undefined) return news;
  if (stored.status === 'succeeded') return stored;
  return stored.attempt > news.attempt && news.status !== 'succeeded' ? stored : news;
}

/** For the log: the error as it is shown, and the cause that is not. */
function describeError({ code, message, retry }: StepError, thrown: unknown): LogFields {
  return { code, detail: message, retry, cause: describeCause(toAppError(thrown).cause) };
}

async function execute<Services>(
  call: StepCall,
  { plan, codeVersion }: Run,
  deps: StepRunnerDeps<Services>,
  heart: Heartbeat,
  logger: Logger,
): Promise<JsonValue> {
  const planned = findPlanned(plan, call.step);
  const { uses } = planned;
  const step = Object.hasOwn(deps.steps, uses) ? deps.steps[uses] : undefined;
  if (!step) throw new AppError('UNPROCESSABLE', `This build has no step "${uses}".`, { step: uses });
  const given = await step.run(readValues(step, planned, call, codeVersion === deps.codeVersion), {
    runId: call.runId,
    step: call.step,
    codeVersion: deps.codeVersion,
    services: deps.services,
    logger,
    signal: heart.signal,
    report: heart.report,
  });
  const output = step.output.safeParse(given);
  if (!output.success)
    throw new AppError(
      'INTERNAL',
      `The step "${call.step}" returned something else than it declares.`,
      {},
      output.error,
    );
  const sizeBytes = Buffer.byteLength(JSON.stringify(output.data));
  if (sizeBytes > maxOutputBytes) {
    throw new AppError(
      'INTERNAL',
      `The step "${call.step}" returned ${sizeBytes} bytes; over ${maxOutputBytes} it must return a blob reference.`,
    );
  }
  return output.data as JsonValue;
}

function toStepError(thrown: unknown): StepError {
  const error = toAppError(thrown);
  return {
    code: error.code,
    message: error.message,
    retry: retryIntent(error) !== 'never',
  };
}
