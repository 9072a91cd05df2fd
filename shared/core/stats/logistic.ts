import { exp } from './exp.ts';
import { log1pUnit } from './log1p.ts';

/**
 * The logistic function 1 / (1 + e^-z), with the same bits on every machine.
 *
 * @param z Log-odds, any number; NaN gives NaN, the infinities give 0 and 1.
 * @example
 * sigmoid(0) // 0.5
 */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + exp(-z));
  const e = exp(z);
  return e / (1 + e);
}

/**
 * ln(1 + e^z), the log loss of a negative example whose log-odds are z, without overflow; the log loss of a
 * positive one is softplus(-z).
 *
 * @param z Log-odds, any number; Infinity gives Infinity, -Infinity 0.
 * @example
 * softplus(0) // 0.6931471805599453
 */
export function softplus(z: number): number {
  return Math.max(z, 0) + log1pUnit(exp(-Math.abs(z)));
}
