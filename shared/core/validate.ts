import { z } from 'zod';
import { AppError } from './errors.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** Any JSON, for values that were parsed from JSON: nothing else can come out of that. */
export const jsonValueSchema = z.unknown() as z.ZodType<JsonValue>;
export const jsonObjectSchema = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;

/** One thing wrong with an input: where, and what would be right. */
export interface Fault {
  readonly at: string;
  readonly message: string;
}

/**
 * Parses hostile input with a schema and names its faults at once: the first 20, when there are more.
 *
 * @param what what is being parsed, as the caller knows it: `request body`, `query`
 * @throws INVALID_ARGUMENT with `details.faults`
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  const faults = issues.slice(0, maxFaults).map((issue): Fault => ({
    at: shorten(formatPath(issue.path)),
    message: shorten(issue.message),
  }));
  const first = faults[0];
  const where = first?.at ? ` at ${first.at}` : '';
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  throw new AppError('INVALID_ARGUMENT', `The ${what} is not valid${where}: ${first?.message}${more}.`, {
    faults,
  });
}

/** An answer should not be a book, whatever was sent. */
const maxFaults = 20;
const maxFaultLength = 300;

function shorten(text: string): string {
  return text.length > maxFaultLength ? `${text.slice(0, maxFaultLength)}…` : text;
}

/** `['rows', 3, 'origin']` → `rows[3].origin`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
    .join('');
}
