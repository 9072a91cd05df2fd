import { z } from 'zod';

/**
 * The type of a dataset's column. `timestamp` is an instant (UTC, microseconds), `decimal(p,s)` is exact, `int64` is
 * signed. `binary` and nested values come from Parquet only; nested values are kept as JSON text.
 */
export type ColumnType =
  | 'int64'
  | 'double'
  | `decimal(${number},${number})`
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'string'
  | 'binary';

export const columnTypeSchema = z
  .string()
  .regex(
    /^(int64|double|boolean|date|timestamp|string|binary|decimal\(([1-9]|[12]\d|3[0-8]),([0-9]|[12]\d|3[0-8])\))$/,
    'must be int64, double, decimal(p,s), boolean, date, timestamp, string or binary',
  )
  .meta({ examples: ['decimal(12,2)'] }) as z.ZodType<ColumnType>;

export const columnSchema = z.object({
  name: z.string(),
  type: columnTypeSchema,
  nullable: z.boolean(),
  /** Why it has this type, if that may surprise: "12/04/2026 could be April or December". */
  note: z.string().optional(),
});
export const columnsSchema = z.array(columnSchema);
export type Column = z.infer<typeof columnSchema>;
