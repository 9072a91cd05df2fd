import { maxTimerMs } from '../clock.ts';
import { raceAbort } from './race-abort.ts';

export interface TimeLimit {
  /** Infinity sets no limit; other values are capped at 24 days. */
  readonly timeoutMs: number;
  /** The error to reject with, and the reason of the signal that aborts the work. */
  readonly toError: (timeoutMs: number) => Error;
  /** Stops the wait and the work early. */
  readonly signal?: AbortSignal | undefined;
}

/** The timer of work in progress. */
export interface WorkTimer {
  /** Stops the timer while the work waits for something with its own timeout. */
  pause(): void;
  /** Starts the timer from zero. */
  restart(): void;
}

/**
 * Rejects after `timeoutMs` and aborts the work; its later result is ignored. The work's signal also fires with the
 * caller's, even after this has settled, so that the caller can still abort a stream that the work opened.
 *
 * @throws the error of `toError` at the timeout; the reason of the caller's signal; errors of the work
 */
export async function withTimeout<T>(
  { timeoutMs, toError, signal }: TimeLimit,
  run: (signal: AbortSignal, timer: WorkTimer) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const workSignal = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const pause = () => clearTimeout(timer);
  const restart = () => {
    pause();
    if (isOver || timeoutMs === Infinity) return;
    timer = setTimeout(() => deadline.abort(toError(timeoutMs)), Math.min(timeoutMs, maxTimerMs));
  };
  restart();
  try {
    return await raceAbort(workSignal, () => run(workSignal, { pause, restart }));
  } finally {
    isOver = true;
    pause();
  }
}
