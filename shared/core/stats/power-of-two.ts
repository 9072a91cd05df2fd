/** 2^-1022 to 2^1023, built by exact doublings and halvings. */
const powers = (() => {
  const table = new Float64Array(2046);
  table[1022] = 1;
  for (let k = 1; k <= 1023; k++) table[1022 + k] = table[1021 + k]! * 2;
  for (let k = -1; k >= -1022; k--) table[1022 + k] = table[1023 + k]! / 2;
  return table;
})();

/**
 * 2^k, exactly. (ECMAScript leaves the result of `2 ** k` "implementation-approximated".)
 *
 * @param k A whole number from -1022 to 1023: the exponents of normal doubles.
 * @returns NaN for any other number.
 * @see https://tc39.es/ecma262/#sec-numeric-types-number-exponentiate
 * @example
 * powerOfTwo(-2) // 0.25
 * powerOfTwo(1024) // NaN
 */
export function powerOfTwo(k: number): number {
  return powers[1022 + k] ?? NaN;
}
