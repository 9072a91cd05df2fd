import { AppError } from '../errors.ts';

/**
 * The error of work that its caller cancelled.
 *
 * @param work the subject of the message
 * @example
 * cancelled('The training').message // 'The training was cancelled.'
 */
export function cancelled(work: string, cause?: unknown): AppError {
  return new AppError('CANCELLED', `${work} was cancelled.`, {}, cause);
}

/** @throws CANCELLED when the signal has fired */
export function throwIfCancelled(signal: AbortSignal | undefined, work: string): void {
  if (signal?.aborted) throw cancelled(work);
}
