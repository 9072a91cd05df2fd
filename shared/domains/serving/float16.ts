/**
 * The value of 16 bits of IEEE 754 binary16: 1 sign bit, 5 of exponent, 10 of fraction. Exact.
 *
 * @see https://en.wikipedia.org/wiki/Half-precision_floating-point_format
 * @example
 * decodeFloat16(0x3c00) // 1
 * decodeFloat16(0xfc00) // -Infinity
 */
export function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  // Subnormal numbers have the exponent of the smallest normal ones, without their leading 1.
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** -25 * (1 << exponent);
}

/**
 * The bits of the nearest binary16 number, ties to even.
 *
 * @param value Beyond ±65519.99… it becomes an infinity; NaN becomes 0x7e00.
 * @example
 * encodeFloat16(1) // 0x3c00
 * encodeFloat16(65520) // 0x7c00
 */
export function encodeFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  // The spacing of binary16 numbers around the value: 2^-24 up to 2^-14, then twice as wide for each power of two.
  let spacing = 2 ** -24;
  let exponent = 0;
  while (magnitude >= spacing * 2048) {
    spacing *= 2;
    exponent += 1;
  }
  // A quotient of 1024 to 2048 carries the leading 1 of a normal number, which counts one up in the exponent.
  return sign | (exponent * 1024 + roundHalfToEven(magnitude / spacing));
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
