/**
 * ln(1 + u) for u in [0, 1], with the same bits on every machine (see `exp` for why not `Math.log1p`).
 *
 * Method: ln(1 + u) = 2 artanh(s) with s = u / (2 + u) <= 1/3, by its series 2(s + s^3/3 + s^5/5 + ...), cut
 * where the next term is below 2^-55 of the sum. The error is below 2 ulp.
 *
 * @see https://dlmf.nist.gov/4.6#E4
 * @example
 * log1pUnit(1) // 0.6931471805599453
 */
export function log1pUnit(u: number): number {
  const s = u / (2 + u);
  const s2 = s * s;
  let sum = 0;
  for (let n = 35; n >= 3; n -= 2) sum = s2 * (1 / n + sum);
  return 2 * (s + s * sum);
}
