/**
 * Maps items with up to `maxConcurrent` calls in flight and yields the results in order. Reads an item only when a call
 * can start. The first failure stops reading and is thrown once the calls in flight have settled; their results are
 * dropped.
 */
export async function* mapConcurrent<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  maxConcurrent: number,
  map: (item: T, index: number) => Promise<R>,
): AsyncGenerator<R> {
  const inFlight: Promise<R>[] = [];
  let index = 0;
  try {
    for await (const item of items) {
      const call = map(item, index);
      // Awaited later; an earlier failure must not count as unhandled.
      call.catch(() => undefined);
      inFlight.push(call);
      index += 1;
      if (inFlight.length >= maxConcurrent) yield await inFlight.shift()!;
    }
    while (inFlight.length > 0) yield await inFlight.shift()!;
  } finally {
    await Promise.allSettled(inFlight);
  }
}
