/**
 * The tag that orders the files of a version, and so its rows. An overwrite that reuses most files gives the new ones
 * numbers in between.
 */
export const orderTag = 'slipway.order';

export interface OrderedFile {
  readonly path: string;
  /** Undefined for a new file. */
  readonly order?: number;
}

/**
 * Assigns rising numbers to the files of a sequence, and keeps as many given numbers as possible.
 *
 * @returns a number per file, in the order of the sequence. A file whose number changed needs a new tag
 * @example
 * orderFiles([{ path: 'a', order: 1 }, { path: 'new' }, { path: 'b', order: 2 }]) // [1, 1.5, 2]
 */
export function orderFiles(sequence: readonly OrderedFile[]): readonly number[] {
  const kept = longestRising(sequence);
  const orders: number[] = [];
  let previous = 0;
  for (let at = 0; at < sequence.length;) {
    if (kept.has(at)) {
      previous = sequence[at]!.order!;
      orders.push(previous);
      at += 1;
      continue;
    }
    let end = at;
    while (end < sequence.length && !kept.has(end)) end += 1;
    const next = end < sequence.length ? sequence[end]!.order! : previous + (end - at) + 1;
    const step = (next - previous) / (end - at + 1);
    // Repeated halving exhausts the doubles between two numbers: renumber all.
    if (previous + step <= previous || next - step >= next) return sequence.map((_, index) => index + 1);
    for (; at < end; at += 1) {
      previous += step;
      orders.push(previous);
    }
    if (orders.some((order, index) => index > 0 && order <= orders[index - 1]!))
      return sequence.map((_, index) => index + 1);
  }
  return orders;
}

/** The positions of a longest rising subsequence of the given numbers (patience sorting, O(n log n)). */
function longestRising(sequence: readonly OrderedFile[]): ReadonlySet<number> {
  const tails: number[] = [];
  const before: number[] = [];
  for (const [at, { order }] of sequence.entries()) {
    if (order === undefined || !(order > 0) || !Number.isFinite(order)) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sequence[tails[middle]!]!.order! < order) low = middle + 1;
      else high = middle;
    }
    before[at] = low > 0 ? tails[low - 1]! : -1;
    tails[low] = at;
  }
  const kept = new Set<number>();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at]!) kept.add(at);
  return kept;
}

/** @returns undefined for a file without the tag, or with one that is not a number */
export function readOrder(tags: Readonly<Record<string, string | null>> | undefined): number | undefined {
  const text = tags?.[orderTag] ?? '';
  const order = Number(text);
  return text !== '' && Number.isFinite(order) ? order : undefined;
}
