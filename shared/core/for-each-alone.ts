import { type AppError, isAppError } from './errors.ts';

/**
 * Works through items so that one that fails does not keep the others from their turn.
 *
 * @param onRefused told of an item whose failure trying again cannot help; the walk goes on as if it were done
 * @throws after the last item, the first failure that may pass: the whole is worth trying again
 */
export async function forEachAlone<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  onRefused: (item: T, error: AppError) => void | Promise<void>,
): Promise<void> {
  let passing: { readonly error: unknown } | undefined;
  for await (const item of items) {
    try {
      await work(item);
    } catch (error) {
      if (isFinal(error)) await onRefused(item, error);
      else passing ??= { error };
    }
  }
  if (passing) throw passing.error;
}

/** Whether trying the same again would fail the same way; an unknown failure may be a passing one. */
function isFinal(error: unknown): error is AppError {
  return isAppError(error) && !error.retry && error.code !== 'INTERNAL';
}
