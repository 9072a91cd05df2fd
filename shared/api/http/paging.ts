import { z } from 'zod';
import type { PageRequest } from '../../platform/storage/page.ts';

/** The cursor of the previous page, as a query parameter. */
export function cursorParameter(maxChars: number) {
  return z
    .string()
    .max(maxChars)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be the cursor of an answer')
    .optional();
}

export interface PageQuery {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** The query of every listing. */
export const pageQuery = z.object({
  cursor: cursorParameter(8_192),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export function pageSchema<T>(item: z.ZodType<T>) {
  return z.object({ items: z.array(item), cursor: z.string().optional() });
}

export function toPageRequest({ cursor, limit }: PageQuery): PageRequest {
  return cursor === undefined ? { limit } : { limit, cursor };
}
