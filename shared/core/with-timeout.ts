import type { AppError } from './errors.ts';

/**
 * Waits for work no longer than a time. The work is told by its signal, and whatever becomes of it later is heard by
 * nobody.
 *
 * @throws what `toError` gives, once the time has passed
 */
export async function withTimeout<T>(
  timeoutMs: number,
  toError: (timeoutMs: number) => AppError,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = toError(timeoutMs);
    // First the answer, then the abort: work that ends on it must not win the race.
    reject(error);
    controller.abort(error);
  }, timeoutMs);
  try {
    return await Promise.race([run(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
