/**
 * A fixed pseudo-random number in [0, 1) for each row number, independent of how rows are read or divided among
 * threads. The seed and the two halves of the row number go through MurmurHash3's 32-bit steps and finaliser.
 *
 * @param row A whole number from 0 to 2^53 - 1.
 * @param seed A whole number from 0 to 2^32 - 1.
 * @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp (MurmurHash3_x86_32)
 * @example
 * hashRow(0, 0) === hashRow(0, 0) // true
 */
export function hashRow(row: number, seed: number): number {
  let h = seed | 0;
  h = absorb(h, row | 0);
  h = absorb(h, Math.floor(row / 2 ** 32) | 0);
  h ^= 8;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

function absorb(h: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = h ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
