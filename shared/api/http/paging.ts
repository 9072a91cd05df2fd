import { z } from 'zod';

/** A cursor as a query parameter: of the answer before, as it came. */
export function cursorParameter(maxChars: number) {
  return z
    .string()
    .max(maxChars)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be the cursor of an answer')
    .optional();
}

/** The query of every listing. */
export const pageQuery = z.object({
  cursor: cursorParameter(8_192),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export function pageSchema<T>(item: z.ZodType<T>) {
  return z.object({ items: z.array(item), cursor: z.string().optional() });
}

/** Leaves the cursor out instead of passing `undefined` on. */
export function toPageRequest(query: { cursor?: string | undefined; limit: number }): {
  cursor?: string;
  limit: number;
} {
  return query.cursor === undefined ? { limit: query.limit } : { limit: query.limit, cursor: query.cursor };
}
