/**
 * Maps what an iterable gives with several calls under way at once; the results come in the iterable's order. Nothing
 * is read ahead of what the calls under way need. The first failure stops the reading, and is thrown once the calls under way have ended;
 * their results then are lost.
 */
export async function* mapConcurrent<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  maxConcurrent: number,
  map: (item: T, index: number) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  let index = 0;
  try {
    for await (const item of items) {
      const call = map(item, index);
      // Looked at when its turn comes; a failure until then is not unhandled.
      call.catch(() => undefined);
      underWay.push(call);
      index += 1;
      if (underWay.length >= maxConcurrent) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}
