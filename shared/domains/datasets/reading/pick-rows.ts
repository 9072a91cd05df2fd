import { createHash } from 'node:crypto';
import { AppError } from '../../../core/errors.ts';

/**
 * Samples `count` of `total` row numbers without replacement, ascending; all of them if there are no more. Every set of
 * rows is equally likely, and equal arguments give equal rows. Floyd's algorithm: O(count).
 *
 * @see https://doi.org/10.1145/30401.315746 (Bentley and Floyd, A sample of brilliance, 1987)
 * @throws INVALID_ARGUMENT for a count that is not a positive integer
 * @example
 * pickRows(3, 5, 'any') // [0, 1, 2]
 */
export function pickRows(total: number, count: number, seed: string): readonly number[] {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new AppError('INVALID_ARGUMENT', 'The count of a sample must be a positive integer.', { count });
  if (count >= total) return Array.from({ length: total }, (_, index) => index);
  const random = createRandom(seed);
  const picked = new Set<number>();
  for (let last = total - count; last < total; last += 1) {
    const row = Math.floor(random() * (last + 1));
    picked.add(picked.has(row) ? last : row);
  }
  return [...picked].sort((a, b) => a - b);
}

/** Uniform numbers in [0, 1) with 53 bits, from SHA-256 of the seed and a counter. */
function createRandom(seed: string): () => number {
  let counter = 0;
  let block = Buffer.alloc(0);
  let offset = 0;
  return () => {
    if (offset + 8 > block.length) {
      block = createHash('sha256').update(`${counter}\n${seed}`).digest();
      counter += 1;
      offset = 0;
    }
    const bits = block.readBigUInt64BE(offset) >> 11n;
    offset += 8;
    return Number(bits) / 2 ** 53;
  };
}
