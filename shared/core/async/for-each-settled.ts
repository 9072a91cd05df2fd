import { type AppError, isAppError } from '../errors.ts';

/**
 * Works through items one after another; a failure does not stop the rest.
 *
 * @param onRefused called with each item whose failure no retry can help; it counts as done
 * @throws after the last item, the first failure that a retry can help: the whole is worth another try
 */
export async function forEachSettled<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  onRefused: (item: T, error: AppError) => void | Promise<void>,
): Promise<void> {
  let first: { readonly error: unknown } | undefined;
  for await (const item of items) {
    try {
      await work(item);
    } catch (error) {
      if (isFinal(error)) await onRefused(item, error);
      else first ??= { error };
    }
  }
  if (first) throw first.error;
}

/** Whether a retry would fail the same way; an unknown failure may pass. */
function isFinal(error: unknown): error is AppError {
  return isAppError(error) && !error.retry && error.code !== 'INTERNAL';
}
