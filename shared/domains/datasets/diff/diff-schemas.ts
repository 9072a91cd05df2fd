import { z } from 'zod';
import { columnSchema, columnTypeSchema, type Column } from '../schema/column.ts';

export const schemaDiffSchema = z.object({
  added: z.array(columnSchema),
  removed: z.array(columnSchema),
  retyped: z.array(z.object({ name: z.string(), before: columnTypeSchema, after: columnTypeSchema })),
  /** Columns whose nullability changed. */
  nullability: z.array(z.object({ name: z.string(), before: z.boolean(), after: z.boolean() })),
});
export type SchemaDiff = z.infer<typeof schemaDiffSchema>;

/** Compares columns by name. */
export function diffSchemas(before: readonly Column[], after: readonly Column[]): SchemaDiff {
  const was = new Map(before.map((column) => [column.name, column]));
  const is = new Set(after.map(({ name }) => name));
  const both = after.flatMap((column) => {
    const old = was.get(column.name);
    return old === undefined ? [] : [{ name: column.name, old, column }];
  });
  return {
    added: after.filter(({ name }) => !was.has(name)),
    removed: before.filter(({ name }) => !is.has(name)),
    retyped: both
      .filter(({ old, column }) => old.type !== column.type)
      .map(({ name, old, column }) => ({ name, before: old.type, after: column.type })),
    nullability: both
      .filter(({ old, column }) => old.nullable !== column.nullable)
      .map(({ name, old, column }) => ({ name, before: old.nullable, after: column.nullable })),
  };
}
