import { powerOfTwo } from './power-of-two.ts';

/**
 * e^x from IEEE 754 additions and multiplications alone, so that every machine gives the same bits.
 *
 * `Math.exp` may not be used where bits matter: ECMAScript leaves its result "implementation-approximated", and
 * V8 compiles its own from C++, where a compiler may fuse a multiplication and an addition on arm64 and not on
 * x64. JavaScript arithmetic itself is never fused.
 *
 * Method (Cody-Waite): x = k ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts so that r keeps its digits;
 * e^r by the rational approximation of fdlibm; the result is scaled by 2^k. The error is below 1 ulp.
 *
 * @param x Any number. NaN gives NaN; x > 709.78 gives Infinity; x < -745.13 gives 0.
 * @see https://www.netlib.org/fdlibm/e_exp.c
 * @see https://tc39.es/ecma262/#sec-math.exp
 * @example
 * exp(1) // Math.E + 2 ** -51
 */
export function exp(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019411) return 0;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
  const y = 1 - (low - (r * c) / (2 - c) - high);
  // Two steps where 2^k itself would leave the range of doubles (k = 1024, or a subnormal result).
  if (k > 1023) return y * 2 * powerOfTwo(k - 1);
  if (k < -1022) return y * powerOfTwo(k + 1000) * powerOfTwo(-1000);
  return y * powerOfTwo(k);
}

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const P1 = 0.16666666666666602;
const P2 = -0.0027777777777015593;
const P3 = 6.613756321437934e-5;
const P4 = -1.6533902205465252e-6;
const P5 = 4.1381367970572385e-8;
