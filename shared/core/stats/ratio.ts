import { powerOfTwo } from './power-of-two.ts';

/**
 * `numerator / denominator` as the nearest double (ties to even), however many digits both have.
 *
 * @param denominator above 0
 * @returns ±Infinity when it is greater than every double
 * @example
 * ratio(1n, 3n) // 1 / 3
 * ratio(10n ** 400n + 1n, 10n ** 400n) // 1
 */
export function ratio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  if (numerator < 0n) return -ratio(-numerator, denominator);
  // A quotient of 64 to 65 bits holds what rounding to 53 needs, if its last bit records whether a remainder is left.
  const shift = 64 - (bitLength(numerator) - bitLength(denominator));
  const scaled = shift >= 0 ? numerator << BigInt(shift) : numerator;
  const divisor = shift >= 0 ? denominator : denominator << BigInt(-shift);
  const quotient = scaled / divisor;
  const sticky = quotient * divisor === scaled ? quotient : quotient | 1n;
  return scaleByPowerOfTwo(sticky, -shift);
}

function bitLength(value: bigint): number {
  return value.toString(16).length * 4;
}

/** `Number(bigint)` rounds to nearest; below the normal doubles, digits are dropped first so that it is rounded once. */
function scaleByPowerOfTwo(value: bigint, exponent: number): number {
  const lost = -1074 - exponent;
  if (lost > 0 && value >> BigInt(lost) < 1n << 53n) {
    const kept = value >> BigInt(lost);
    const rest = value - (kept << BigInt(lost));
    const half = 1n << BigInt(lost - 1);
    const up = rest > half || (rest === half && kept % 2n === 1n);
    return Number(up ? kept + 1n : kept) * Number.MIN_VALUE;
  }
  const number = Number(value);
  const first = Math.max(-1000, Math.min(900, exponent));
  // Beyond 2^1923 the product is infinite already.
  return number * powerOfTwo(first) * powerOfTwo(Math.min(1023, exponent - first));
}
