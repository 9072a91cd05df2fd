import { z } from 'zod';
import { sha256 } from '../../core/ids.ts';
import { datasetName } from '../../core/resource-names.ts';
import { columnsSchema } from './schema/column.ts';

/** What names a version: a number, `latest`, a tag, or a time. */
export const versionName = z.string().min(1).max(100);

/** How rows come in: behind what is there, in its place, or over the rows that have the same key. */
export const modes = ['append', 'overwrite', 'merge'] as const;
export type Mode = (typeof modes)[number];

/** Where somebody wants a blob to go, whatever its name says. */
export const intoSchema = z.object({
  dataset: datasetName,
  mode: z.enum(modes).optional(),
  keys: z.array(z.string().min(1)).max(16).optional(),
});

/** The blob that a version was made from; the ETag says which of its contents. */
export const sourceSchema = z.object({
  container: z.string(),
  name: z.string(),
  etag: z.string(),
  sizeBytes: z.int(),
  /** Of one that was not dropped into the landing container. */
  into: intoSchema.optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** What "the same content, told again" means: one place, one ETag, one dataset. */
export function hashSource({
  container,
  name,
  etag,
  into,
}: Pick<Source, 'container' | 'name' | 'etag' | 'into'>): string {
  const target = into ? `\n${into.dataset}\n${into.mode ?? ''}` : '';
  return sha256(`${container}\n${name}\n${etag}${target}`);
}

/** What a version has to say of where it came from; kept in its commit in the Delta log. */
export const lineageSchema = z.object({
  source: sourceSchema.optional(),
  /** Of the dropped file's bytes as they came. */
  sourceSha256: z.string().optional(),
  runId: z.string().optional(),
  codeVersion: z.string().optional(),
  /** Rows of the file, and what became of them: rowsIn = rowsCommitted + rowsQuarantined. */
  rowsIn: z.int().optional(),
  rowsQuarantined: z.int().optional(),
  /** What people should know: a column that stayed text, a file whose times had no zone. */
  notes: z.array(z.string()).optional(),
  by: z.string().optional(),
});
export type Lineage = z.infer<typeof lineageSchema>;

export const datasetVersionSchema = z.object({
  dataset: datasetName,
  /** 0 is the first; the version of the Delta table. */
  version: z.int(),
  /** `append`, `overwrite`, `merge`, `restore`, or what another writer of the Delta table called it. */
  operation: z.string(),
  /** Of columns and data files in their order: equal for equal contents, stored in the same way. */
  sha256: z.string(),
  rows: z.int(),
  files: z.int(),
  sizeBytes: z.int(),
  columnCount: z.int(),
  /** What this version wrote anew, and what it shares with the version before it. */
  bytesAdded: z.int(),
  bytesReused: z.int(),
  lineage: lineageSchema,
  createdAt: z.number(),
});
export type DatasetVersion = z.infer<typeof datasetVersionSchema>;

export const datasetVersionViewSchema = datasetVersionSchema.extend({
  columns: columnsSchema,
  tags: z.array(z.string()),
  pins: z.array(z.object({ pinId: z.string(), reason: z.string(), by: z.string(), at: z.number() })),
});
export type DatasetVersionView = z.infer<typeof datasetVersionViewSchema>;

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
  /** Left out when it has settings but no version yet. */
  latestVersion: z.int().optional(),
  rows: z.int().optional(),
  sizeBytes: z.int().optional(),
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
