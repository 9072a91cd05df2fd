import { z } from 'zod';
import { sourceSchema } from '../entities.ts';

/** The quarantined rows of one file, stored as one JSON object per line. */
export const quarantineEntrySchema = z.object({
  quarantineId: z.string(),
  dataset: z.string(),
  source: sourceSchema,
  runId: z.string(),
  rows: z.int(),
  /** Rows by code. */
  codes: z.record(z.string(), z.int()),
  /** The blob with the rows. */
  container: z.string(),
  blob: z.string(),
  /** The header of the file, if it has one. */
  header: z.array(z.string()).optional(),
  format: z.enum(['csv', 'jsonl', 'parquet']),
  quarantinedAt: z.number(),
  /** Files with corrected rows. */
  resubmissions: z.array(z.object({ name: z.string(), by: z.string(), at: z.number() })).optional(),
});
export type QuarantineEntry = z.infer<typeof quarantineEntrySchema>;

export const badRowSchema = z.object({
  row: z.int(),
  byteOffset: z.int(),
  byteLength: z.int(),
  column: z.string().optional(),
  code: z.string(),
  reason: z.string(),
  raw: z.string(),
  isLatin1: z.boolean().optional(),
  isCut: z.boolean().optional(),
});
