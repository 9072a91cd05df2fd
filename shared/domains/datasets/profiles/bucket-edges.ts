/**
 * Edges of at most `buckets` equally wide buckets from `min` to `max`, ascending. Fewer when there are not as many
 * doubles between them; [min, max] when they are equal.
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
    // The distance of the two can be infinite; that of their halves cannot.
    const width = max / 2 - min / 2;
    const edge = Number.isFinite(width * 2) ? min + share * (max - min) : (min / 2 + share * width) * 2;
    if (edge > (edges.at(-1) ?? min) && edge < max) edges.push(edge);
  }
  return [...edges, max];
}

/**
 * The same for whole numbers: the width is whole, too, so that each bucket holds as many of them, and the last edge lies
 * above `max`.
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
