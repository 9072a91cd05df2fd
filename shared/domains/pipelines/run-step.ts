import type { Clock } from '../../core/clock.ts';
import { AppError, describeCause, errorCodes, toAppError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import { type LogFields, type Logger, withFields } from '../../core/logger.ts';
import { validate } from '../../core/validate.ts';
import type { StepProgress, StepRun } from './entities.ts';
import type { StepCall, StepError, StepOutcome } from './orchestrate.ts';
import type { RunStore } from './run-store.ts';
import type { Step } from './step.ts';

const maxOutputBytes = 8 * 1024;
const heartbeatMs = 500;

export interface StepRunnerOptions<Services> {
  readonly store: RunStore;
  readonly steps: Readonly<Record<string, Step<Services>>>;
  readonly services: Services;
  readonly codeVersion: string;
  readonly clock: Clock;
}

/**
 * Runs one step of a run: the body of the generic activity. Called again for a step that already succeeded (the
 * engine delivers at least once, and at times two at once), it returns the stored output and does nothing else; for
 * a run that was cancelled it does nothing at all. Never throws: an orchestration that an activity fails in ends at
 * once, while an outcome is tried again.
 */
export async function runStep<Services>(
  call: StepCall,
  options: StepRunnerOptions<Services>,
  parentLogger: Logger,
): Promise<StepOutcome> {
  const logger = withFields(parentLogger, { runId: call.runId, step: call.step, attempt: call.attempt });
  try {
    const done = await begin(call, options);
    return done ?? (await attempt(call, options, logger));
  } catch (thrown) {
    const error = toStepError(thrown);
    logger.log('warn', 'step not recorded', tellError(error, thrown));
    return { ok: false, error };
  }
}

/** @returns the outcome when there is nothing to do: it is done, or the run was cancelled before it began. */
async function begin<Services>(
  { runId, step }: StepCall,
  { store }: StepRunnerOptions<Services>,
): Promise<StepOutcome | undefined> {
  const [run, before] = await Promise.all([store.getRun(runId), store.getStep(runId, step)]);
  if (before?.status === 'succeeded') return { ok: true, output: before.output ?? null };
  if (run.status === 'cancelled') throw cancelled();
  if (run.status === 'pending')
    await store.updateRun(runId, (now) => (now.status === 'pending' ? { ...now, status: 'running' } : now));
  return undefined;
}

async function attempt<Services>(
  call: StepCall,
  options: StepRunnerOptions<Services>,
  logger: Logger,
): Promise<StepOutcome> {
  const { store, clock } = options;
  const startedAt = clock.now();
  const running = { step: call.step, status: 'running', attempt: call.attempt, startedAt } as const;
  await store.updateStep(call.runId, call.step, (stored) => unlessSettled(stored, running));
  logger.log('info', 'step started');
  const heart = startHeartbeat(store, call, running, clock, logger);
  const ended = await execute(call, options, heart, logger).then(
    (output): StepRun => ({ ...running, status: 'succeeded', endedAt: clock.now(), output }),
    (thrown: unknown): StepRun => {
      const error = toStepError(heart.signal.aborted ? heart.signal.reason : thrown);
      logger.log(error.code === 'SUPERSEDED' ? 'info' : 'warn', 'step failed', tellError(error, thrown));
      return { ...running, status: 'failed', endedAt: clock.now(), error };
    },
  );
  await heart.stop();
  const stands = await store.updateStep(call.runId, call.step, (stored) => unlessSettled(stored, ended));
  // The other delivery of the same step may have succeeded where this one failed.
  if (stands.status === 'succeeded') {
    logger.log('info', 'step succeeded', { durationMs: clock.now() - startedAt });
    return { ok: true, output: stands.output ?? null };
  }
  return { ok: false, error: ended.error ?? toStepError(cancelled()) };
}

/** A success stands for good, and a later attempt over an earlier one's news, unless that news is its success. */
function unlessSettled(stored: StepRun | undefined, news: StepRun): StepRun {
  if (stored === undefined) return news;
  if (stored.status === 'succeeded') return stored;
  return stored.attempt > news.attempt && news.status !== 'succeeded' ? stored : news;
}

/** For the log: the error as it is shown, and the cause that is not. */
function tellError({ code, message, retry }: StepError, thrown: unknown): LogFields {
  return { code, detail: message, retry, cause: describeCause(toAppError(thrown).cause) };
}

function cancelled(): AppError {
  return new AppError('CANCELLED', 'The run was cancelled.');
}

async function execute<Services>(
  call: StepCall,
  options: StepRunnerOptions<Services>,
  heart: Heartbeat,
  logger: Logger,
): Promise<JsonValue> {
  const step = Object.hasOwn(options.steps, call.uses) ? options.steps[call.uses] : undefined;
  if (!step)
    throw new AppError('UNPROCESSABLE', `This build has no step "${call.uses}".`, { step: call.uses });
  const output = await step.run(
    {
      params: validate(step.params, call.params, `parameters of the step "${call.step}"`),
      needs: validate(step.needs, call.needs, `inputs of the step "${call.step}"`),
    },
    {
      runId: call.runId,
      codeVersion: options.codeVersion,
      services: options.services,
      logger,
      signal: heart.signal,
      report: heart.report,
    },
  );
  const sizeBytes = Buffer.byteLength(JSON.stringify(output));
  if (sizeBytes > maxOutputBytes) {
    throw new AppError(
      'INTERNAL',
      `The step "${call.step}" returned ${sizeBytes} bytes; over ${maxOutputBytes} it must return a blob reference.`,
    );
  }
  return output;
}

interface Heartbeat {
  readonly signal: AbortSignal;
  readonly report: (fraction: number, message: string) => void;
  readonly stop: () => Promise<void>;
}

/** Twice a second, while a step runs: stores its progress when it changed, and looks whether the run was cancelled. */
function startHeartbeat(
  store: RunStore,
  call: StepCall,
  running: StepRun,
  clock: Clock,
  logger: Logger,
): Heartbeat {
  const aborter = new AbortController();
  const stopped = new AbortController();
  let progress: StepProgress | undefined;
  let stored: StepProgress | undefined;
  const beat = async () => {
    const run = await store.getRun(call.runId);
    if (run.status === 'cancelled') aborter.abort(cancelled());
    if (progress && progress !== stored) {
      stored = progress;
      const news = { ...running, progress };
      // Never over an end, nor over another attempt.
      await store.updateStep(call.runId, call.step, (step) =>
        step?.status === 'running' && step.attempt === running.attempt ? news : (step ?? news),
      );
    }
  };
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      const slept = await clock.sleep(heartbeatMs, stopped.signal).then(
        () => true,
        () => false,
      );
      if (!slept) return;
      // The step itself decides success; a beat that failed only delays news.
      await beat().catch((error: unknown) =>
        logger.log('warn', 'heartbeat failed', { detail: String(error) }),
      );
    }
  })();
  return {
    signal: aborter.signal,
    report: (fraction, message) => {
      progress = { fraction: Math.min(1, Math.max(0, fraction)), message, at: clock.now() };
    },
    stop: async () => {
      stopped.abort(new Error('the step ended'));
      await loop;
    },
  };
}

/** An unknown failure may be a passing one: it is tried again, within the step's retry policy. */
function toStepError(thrown: unknown): StepError {
  const error = toAppError(thrown);
  return {
    code: error.code,
    message: error.message,
    retry: error.code === 'INTERNAL' || errorCodes[error.code].retry,
  };
}
