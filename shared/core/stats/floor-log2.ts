import { powerOfTwo } from './power-of-two.ts';

const smallestNormal = powerOfTwo(-1022);
const view = new DataView(new ArrayBuffer(8));

/**
 * ⌊log2 x⌋, the k of 2^k ≤ x < 2^(k + 1). Exact, because it reads the exponent of the double. (ECMAScript leaves the result
 * of `Math.log2` "implementation-approximated".)
 *
 * @param x Any number. NaN and negative numbers give NaN, 0 gives -Infinity, Infinity gives Infinity.
 * @see https://tc39.es/ecma262/#sec-math.log2
 * @example
 * floorLog2(7.9) // 2
 * floorLog2(Number.MIN_VALUE) // -1074
 */
export function floorLog2(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  // The exponent of a subnormal number says nothing about its size.
  if (x < smallestNormal) return floorLog2(x * powerOfTwo(54)) - 54;
  view.setFloat64(0, x);
  return ((view.getUint16(0) >>> 4) & 0x7ff) - 1023;
}

/**
 * ⌈log2 x⌉, the least k of x ≤ 2^k. Exact.
 *
 * @param x as of `floorLog2`
 * @example
 * ceilLog2(8) // 3
 * ceilLog2(8.1) // 4
 */
export function ceilLog2(x: number): number {
  const floor = floorLog2(x);
  const isPower = floor < -1022 ? x * powerOfTwo(54) === powerOfTwo(floor + 54) : x === powerOfTwo(floor);
  return isPower ? floor : floor + 1;
}
