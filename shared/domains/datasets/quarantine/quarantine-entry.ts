import { z } from 'zod';
import { sourceSchema } from '../entities.ts';

/** The rows of one file that did not become rows, as they are stored: one JSON object a line, gzipped. */
export const quarantineEntrySchema = z.object({
  quarantineId: z.string(),
  dataset: z.string(),
  source: sourceSchema,
  runId: z.string(),
  rows: z.int(),
  /** How many rows each reason has, by code. */
  codes: z.record(z.string(), z.int()),
  /** Where the rows are. */
  container: z.string(),
  blob: z.string(),
  /** The header of the file they come from, where it has one: rows are resubmitted under it. */
  header: z.array(z.string()).optional(),
  format: z.enum(['csv', 'jsonl', 'parquet']),
  quarantinedAt: z.number(),
  /** Files that were dropped to put these rows right. */
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
