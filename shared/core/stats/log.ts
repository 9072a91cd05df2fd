import { floorLog2 } from './floor-log2.ts';
import { powerOfTwo } from './power-of-two.ts';

/**
 * The natural logarithm from IEEE 754 additions, multiplications and divisions alone, so that every machine gives
 * the same bits (see `exp` for why not `Math.log`).
 *
 * Method: x = 2^k (1 + f) with √½ <= 1 + f < √2. With s = f / (2 + f), ln(1 + f) = 2 artanh(s) has the series
 * 2(s + s^3/3 + s^5/5 + ...), cut where the next term is below 2^-60 of the sum. It is added up as
 * f - (f^2/2 - s (f^2/2 + R)), in which f is exact and the rest is small; k ln 2 comes in two parts, the higher of
 * which has few enough digits for its product with k to be exact.
 *
 * The error is below 1 ulp; the largest measured is 0.72 ulp (test/golden/stats/generate_log.py, 2,000 values over
 * the whole range).
 *
 * @param x Any number. NaN and negative numbers give NaN, 0 gives -Infinity, Infinity gives Infinity.
 * @see https://www.netlib.org/fdlibm/e_log.c
 * @see https://dlmf.nist.gov/4.6#E4
 * @see https://tc39.es/ecma262/#sec-math.log
 * @example
 * log(2) // Math.LN2
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  // A subnormal number has fewer digits than the split below expects.
  const [normal, shift] = x < SMALLEST_NORMAL ? [x * powerOfTwo(54), 54] : [x, 0];
  let exponent = floorLog2(normal);
  // In two steps, because 2^-1023 is subnormal.
  let m = exponent > 1022 ? (normal / 2) * powerOfTwo(1 - exponent) : normal * powerOfTwo(-exponent);
  if (m >= Math.SQRT2) {
    m /= 2;
    exponent += 1;
  }
  const f = m - 1;
  const k = exponent - shift;
  const s = f / (2 + f);
  const z = s * s;
  let series = 0;
  for (let n = 21; n >= 3; n -= 2) series = z * (2 / n + series);
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + series) + k * LN2_LOW) - f);
}

const SMALLEST_NORMAL = powerOfTwo(-1022);
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
