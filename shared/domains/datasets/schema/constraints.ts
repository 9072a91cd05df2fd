import { z } from 'zod';

/**
 * What rows must satisfy besides their types. Null satisfies all constraints but `notNull`. Bounds and values are texts
 * that are compared as their column's type.
 */
export const constraintSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('notNull'), column: z.string() }).strict(),
  /** Includes both bounds. */
  z
    .object({
      kind: z.literal('range'),
      column: z.string(),
      min: z.string().optional(),
      max: z.string().optional(),
    })
    .strict(),
  z
    .object({ kind: z.literal('set'), column: z.string(), values: z.array(z.string()).min(1).max(10_000) })
    .strict(),
  /** RE2 syntax; the whole value must match. */
  z.object({ kind: z.literal('regex'), column: z.string(), pattern: z.string().max(1_000) }).strict(),
  /** Over the whole version: of rows that are equal in these columns, the first is kept. */
  z.object({ kind: z.literal('unique'), columns: z.array(z.string()).min(1).max(16) }).strict(),
]);
export type Constraint = z.infer<typeof constraintSchema>;
export type RowConstraint = Exclude<Constraint, { kind: 'unique' }>;
