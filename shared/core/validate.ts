import { z } from 'zod';
import { AppError } from './errors.ts';
import { maxFaults, type PlacedFault, toFault, toFaults } from './faults.ts';
import type { JsonObject, JsonValue } from './json/json.ts';

/** Accepts any JSON. For values that were parsed from JSON, so it checks nothing. */
export const jsonValueSchema = z.unknown() as z.ZodType<JsonValue>;
export const jsonObjectSchema = z.record(z.string(), z.unknown()) as z.ZodType<JsonObject>;

/**
 * Parses hostile input with a schema. Reports all faults at once, at most 20.
 *
 * @param what the caller's name for the input: `request body`, `query`
 * @throws INVALID_ARGUMENT with `details.faults`
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  throw refuse(what, toFaults(schema, value, issues), issues.length);
}

/** Creates the error of an invalid input, with its first 20 faults. */
export function refuse(what: string, placed: readonly PlacedFault[], count = placed.length): AppError {
  const faults = placed.slice(0, maxFaults).map(toFault);
  const first = faults[0];
  const where = first?.at ? ` at ${first.at}` : '';
  const message = first?.message.replace(/\.$/, '') ?? 'it has faults';
  const total = Math.max(count, placed.length);
  const more = total > 1 ? ` (and ${total - 1} more ${total > 2 ? 'faults' : 'fault'})` : '';
  return new AppError('INVALID_ARGUMENT', `The ${what} is not valid${where}: ${message}${more}.`, { faults });
}
