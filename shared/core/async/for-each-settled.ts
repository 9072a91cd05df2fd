import { type AppError, isFinal, toAppError } from '../errors.ts';

/**
 * Processes items in sequence; a failure does not stop the rest.
 *
 * @param onRefused called for each item whose failure is final, which then counts as done
 * @param attempts the attempts at the items, including this one: decides which failures are final
 * @throws the first failure that is not final, after the last item
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
