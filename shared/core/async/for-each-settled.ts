import { type AppError, isFinal, toAppError } from '../errors.ts';

/**
 * Works through items one after another; a failure does not stop the rest.
 *
 * @param onRefused called with each item whose failure is final; it counts as done
 * @param attempts how often the items were worked through, this time included: decides which failures are final
 * @throws after the last item, the first failure that is not final: the whole is worth another try
 */
export async function forEachSettled<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  onRefused: (item: T, error: AppError) => void | Promise<void>,
  attempts = 1,
): Promise<void> {
  let first: { readonly error: unknown } | undefined;
  for await (const item of items) {
    try {
      await work(item);
    } catch (error) {
      if (isFinal(error, attempts)) await onRefused(item, toAppError(error));
      else first ??= { error };
    }
  }
  if (first) throw first.error;
}
