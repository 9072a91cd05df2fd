import { z } from 'zod';
import { AppError } from '../core/errors.ts';
import { sha256 } from '../core/ids.ts';

export const datasetName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be 1–63 of a–z, 0–9, "_" and "-", starting with a letter');

const columnSchema = z.object({ name: z.string(), type: z.string() });
export const columnsSchema = z.array(columnSchema);
export type Column = z.infer<typeof columnSchema>;

/** The blob that a version was made from; the ETag says which of its contents. */
export const sourceSchema = z.object({
  container: z.string(),
  name: z.string(),
  etag: z.string(),
  sizeBytes: z.int(),
});
export type Source = z.infer<typeof sourceSchema>;

/** What "the same content, told again" means: one place, one ETag. */
export function hashSource({ container, name, etag }: Pick<Source, 'container' | 'name' | 'etag'>): string {
  return sha256(`${container}\n${name}\n${etag}`);
}

/** What a verified file turned out to hold; its bytes are stored under their own hash by then. */
export const verifiedSchema = z.object({
  dataset: datasetName,
  source: sourceSchema,
  sha256: z.string(),
  sizeBytes: z.int(),
  rows: z.int(),
});
export type Verified = z.infer<typeof verifiedSchema>;

export const datasetVersionSchema = verifiedSchema.extend({
  /** 0 is the first. */
  version: z.int(),
  columns: columnsSchema,
  runId: z.string(),
  codeVersion: z.string(),
  createdAt: z.number(),
});
export type DatasetVersion = z.infer<typeof datasetVersionSchema>;

/** Enough to find a version, and small enough to travel through a pipeline's history. */
export const versionRefSchema = z.object({
  dataset: datasetName,
  version: z.int(),
  sha256: z.string(),
  rows: z.int(),
});
export type VersionRef = z.infer<typeof versionRefSchema>;

export const datasetSchema = z.object({
  name: datasetName,
  latestVersion: z.int(),
  updatedAt: z.number(),
});
export type Dataset = z.infer<typeof datasetSchema>;

/** A file that ingestion refused. The file itself stays in the landing container. */
export const rejectionSchema = z.object({
  dataset: z.string(),
  source: sourceSchema,
  code: z.string(),
  reason: z.string(),
  /** Left out when no run could even start. */
  runId: z.string().optional(),
  rejectedAt: z.number(),
});
export type Rejection = z.infer<typeof rejectionSchema>;

/**
 * Where a landing blob wants to go: `landing/<dataset>/<file>`.
 *
 * @throws UNPROCESSABLE naming the remedy
 * @example
 * parseLandingPath('flights/2001-01.parquet').dataset // 'flights'
 */
export function parseLandingPath(name: string): { readonly dataset: string; readonly file: string } {
  const slash = name.indexOf('/');
  const dataset = name.slice(0, Math.max(0, slash));
  const file = name.slice(slash + 1);
  if (!datasetName.safeParse(dataset).success || file === '') {
    throw new AppError(
      'UNPROCESSABLE',
      `"${name}" does not say which dataset it is for: upload it as <dataset>/<file>, with the dataset in lower case.`,
      { name },
    );
  }
  return { dataset, file };
}
