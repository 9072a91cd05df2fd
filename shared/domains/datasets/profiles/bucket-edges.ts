/**
 * The ascending edges of at most `buckets` equally wide buckets from `min` to `max`. Fewer if there are fewer doubles
 * between them; [min, max] if they are equal.
 *
 * @param min finite
 * @param max finite, not below `min`
 * @example
 * doubleEdges(0, 1, 4) // [0, 0.25, 0.5, 0.75, 1]
 * doubleEdges(2, 2, 4) // [2, 2]
 */
export function doubleEdges(min: number, max: number, buckets: number): number[] {
  const edges = [min];
  for (let index = 1; index < buckets; index++) {
    const share = index / buckets;
    // The difference of two doubles can overflow; that of their halves cannot.
    const width = max / 2 - min / 2;
    const edge = Number.isFinite(width * 2) ? min + share * (max - min) : (min / 2 + share * width) * 2;
    if (edge > (edges.at(-1) ?? min) && edge < max) edges.push(edge);
  }
  return [...edges, max];
}

/**
 * The same for integers. The width is an integer, so that all buckets span as many integers, and the last edge is above
 * `max`.
 *
 * @example
 * wholeEdges(0n, 99n, 30) // Array.from({ length: 26 }, (_, index) => BigInt(index * 4))
 * wholeEdges(0n, 1n, 30) // [0n, 1n, 2n]
 */
export function wholeEdges(min: bigint, max: bigint, buckets: number): bigint[] {
  const values = max - min + 1n;
  const width = (values + BigInt(buckets) - 1n) / BigInt(buckets);
  const count = Number((values + width - 1n) / width);
  return Array.from({ length: count + 1 }, (_, index) => min + BigInt(index) * width);
}
