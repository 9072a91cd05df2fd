import { z } from 'zod';
import { jsonValueSchema } from '../../../core/validate.ts';
import { columnTypeSchema } from '../schema/column.ts';

/**
 * A value as in pages of rows: integers beyond ±(2^53 - 1) and decimals as text, timestamps as ISO 8601 with
 * microseconds, NaN and infinities as text, binary as Base64. Long values are cut, see `cutColumns`.
 */
const cell = jsonValueSchema;

const rowSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.enum(['added', 'removed']),
    /** In the order of `columns`. */
    row: z.array(cell),
    /** How often each version has the row, without files that both share; 0 or 1 with keys. */
    before: z.int(),
    after: z.int(),
    /** Columns whose value is cut. */
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
  /** Always 0 without keys: a changed row is then one removed and one added. */
  changed: z.int(),
  unchanged: z.int(),
});
export type RowCounts = z.infer<typeof rowCountsSchema>;

export const rowDiffSchema = z.object({
  /** Over all rows. On the first page only. */
  counts: rowCountsSchema.optional(),
  /** The columns of both versions, those of the earlier one alone last. A column that a version lacks is null. */
  columns: z.array(
    z.object({ name: z.string(), before: columnTypeSchema.optional(), after: columnTypeSchema.optional() }),
  ),
  keys: z.array(z.string()),
  /** Ordered by key, null last. Without keys, in an arbitrary but stable order. */
  rows: z.array(rowSchema),
  /** Omitted on the last page. */
  cursor: z.string().optional(),
});
export type RowDiff = z.infer<typeof rowDiffSchema>;
export type DiffColumn = RowDiff['columns'][number];
