import { z } from 'zod';
import { jsonValueSchema } from '../../../core/validate.ts';
import { columnTypeSchema } from '../schema/column.ts';

/**
 * A value as in pages of rows: whole numbers beyond ±(2^53 - 1) and decimals as text, moments as ISO 8601 with
 * microseconds, NaN and infinities as text, binary as Base64. Long ones are cut, see `cutColumns`.
 */
const cell = jsonValueSchema;

const rowSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.enum(['added', 'removed']),
    /** In the order of `columns`. */
    row: z.array(cell),
    /** How often it stands in each version, not counting files that both share; with keys 0 and 1. */
    before: z.int(),
    after: z.int(),
    /** Columns whose value goes on. */
    cutColumns: z.array(z.string()).optional(),
  }),
  z.object({
    kind: z.literal('changed'),
    /** In the order of `keys`. */
    key: z.array(cell),
    changes: z.array(z.object({ column: z.string(), before: cell, after: cell })),
    cutColumns: z.array(z.string()).optional(),
  }),
]);
export type DiffRow = z.infer<typeof rowSchema>;

export const rowCountsSchema = z.object({
  added: z.int(),
  removed: z.int(),
  /** Always 0 without keys: then a changed row is one removed and one added. */
  changed: z.int(),
  unchanged: z.int(),
});
export type RowCounts = z.infer<typeof rowCountsSchema>;

export const rowDiffSchema = z.object({
  /** Of all rows; on the first page only. */
  counts: rowCountsSchema.optional(),
  /** Of both versions, those that only the earlier one has last; a version that lacks one has nulls there. */
  columns: z.array(
    z.object({ name: z.string(), before: columnTypeSchema.optional(), after: columnTypeSchema.optional() }),
  ),
  keys: z.array(z.string()),
  /** With keys in the order of these, null last; without in the order of a hash, which means nothing. */
  rows: z.array(rowSchema),
  /** Left out on the last page. */
  cursor: z.string().optional(),
});
export type RowDiff = z.infer<typeof rowDiffSchema>;
export type DiffColumn = RowDiff['columns'][number];
