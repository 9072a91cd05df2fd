import type { AppError } from './errors.ts';

/** The time of work that is under way. */
export interface WorkTime {
  /** While the work waits for something that has a limit of its own. */
  pause(): void;
  /** Begins the time anew. */
  restart(): void;
}

/**
 * Waits for work no longer than a time. The work is told by its signal, and whatever becomes of it later is heard by
 * nobody.
 *
 * @throws what `toError` gives, once the time has passed
 */
export async function withTimeout<T>(
  timeoutMs: number,
  toError: (timeoutMs: number) => AppError,
  run: (signal: AbortSignal, time: WorkTime) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const start = () =>
    setTimeout(() => {
      const error = toError(timeoutMs);
      // First the answer, then the abort: work that ends on it must not win the race.
      reject(error);
      controller.abort(error);
    }, timeoutMs);
  let isOver = false;
  let timer = start();
  const time: WorkTime = {
    pause: () => clearTimeout(timer),
    restart: () => {
      clearTimeout(timer);
      if (!isOver) timer = start();
    },
  };
  try {
    return await Promise.race([run(controller.signal, time), late]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
