import type { AppError } from './errors.ts';

/**
 * Waits for work no longer than a time. The work is told by its signal, and whatever becomes of it later is heard by
 * nobody. Work that shows progress may begin the time anew.
 *
 * @throws what `toError` gives, once the time has passed
 */
export async function withTimeout<T>(
  timeoutMs: number,
  toError: (timeoutMs: number) => AppError,
  run: (signal: AbortSignal, restart: () => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  let isOver = false;
  const timer = setTimeout(() => {
    const error = toError(timeoutMs);
    // First the answer, then the abort: work that ends on it must not win the race.
    reject(error);
    controller.abort(error);
  }, timeoutMs);
  try {
    // A timer that was cleared would run again when refreshed.
    const restart = () => void (isOver || timer.refresh());
    return await Promise.race([run(controller.signal, restart), late]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
