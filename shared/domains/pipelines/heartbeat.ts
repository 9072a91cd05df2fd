import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { StepProgress, StepRun } from './entities.ts';
import type { RunStore } from './run-store.ts';

const heartbeatMs = 500;

export interface Heartbeat {
  /** Aborts with CANCELLED when the run is cancelled. */
  readonly signal: AbortSignal;
  readonly report: (fraction: number, message: string) => void;
  readonly stop: () => Promise<void>;
}

export function runCancelled(): AppError {
  return new AppError('CANCELLED', 'The run was cancelled.');
}

/** Twice a second, while a step runs: stores its progress when it changed, and looks whether the run was cancelled. */
export function startHeartbeat(
  store: RunStore,
  runId: string,
  running: StepRun,
  clock: Clock,
  logger: Logger,
): Heartbeat {
  const aborter = new AbortController();
  const stopped = new AbortController();
  let progress: StepProgress | undefined;
  let stored: StepProgress | undefined;
  const beat = async () => {
    const run = await store.getRun(runId);
    if (run.status === 'cancelled') aborter.abort(runCancelled());
    if (!progress || progress === stored) return;
    stored = progress;
    const news = { ...running, progress };
    // Never over an end, nor over another attempt.
    await store.updateStep(runId, running.step, (step) =>
      step?.status === 'running' && step.attempt === running.attempt ? news : (step ?? news),
    );
  };
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      const slept = await clock.sleep(heartbeatMs, stopped.signal).then(
        () => true,
        () => false,
      );
      if (!slept) return;
      // A beat that failed only delays progress: the step itself decides its success.
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
