import { z } from 'zod';

/** A number in JSON, which has no NaN and infinities: those are names. */
export const jsonNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
export type JsonNumber = z.infer<typeof jsonNumber>;
export type SpecialNumber = Exclude<JsonNumber, number>;

/**
 * @example
 * toJsonNumber(0.5) // 0.5
 * toJsonNumber(NaN) // 'NaN'
 * toJsonNumber(-Infinity) // '-Infinity'
 */
export function toJsonNumber(value: number): JsonNumber {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/**
 * @example
 * fromJsonNumber('-Infinity') // -Infinity
 */
export function fromJsonNumber(value: JsonNumber): number {
  return Number(value);
}
