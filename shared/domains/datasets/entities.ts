import { z } from 'zod';
import { sha256 } from '../../core/ids.ts';
import { datasetName } from '../../core/names/dataset-name.ts';
import { columnsSchema } from './schema/column.ts';

/** The name of a version: a number, `latest`, a tag, or a time. */
export const versionName = z.string().min(1).max(100);

/** How rows are ingested: appended, instead of all existing rows, or instead of existing rows with the same key. */
export const modes = ['append', 'overwrite', 'merge'] as const;
export type Mode = (typeof modes)[number];

/** Where to ingest a blob, regardless of its name. */
export const intoSchema = z.object({
  dataset: datasetName,
  mode: z.enum(modes).optional(),
  keys: z.array(z.string().min(1)).max(16).optional(),
});

/** The blob that a version was ingested from. The ETag identifies its content. */
export const sourceSchema = z.object({
  container: z.string(),
  name: z.string(),
  etag: z.string(),
  sizeBytes: z.int(),
  /** For a blob outside of the landing container. */
  into: intoSchema.optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** Identifies a content and its target: repeated events about one blob have the same hash. */
export function hashSource({
  container,
  name,
  etag,
  into,
}: Pick<Source, 'container' | 'name' | 'etag' | 'into'>): string {
  const target = into ? `\n${into.dataset}\n${into.mode ?? ''}` : '';
  return sha256(`${container}\n${name}\n${etag}${target}`);
}

/** Where a version came from. Kept in its commit in the Delta log. */
export const lineageSchema = z.object({
  source: sourceSchema.optional(),
  /** Of the dropped file's bytes. */
  sourceSha256: z.string().optional(),
  runId: z.string().optional(),
  codeVersion: z.string().optional(),
  /** Rows of the file: rowsIn = rows committed + rowsQuarantined. */
  rowsIn: z.int().optional(),
  rowsQuarantined: z.int().optional(),
  /** Surprises: a column that stayed text, a file whose times have no zone. */
  notes: z.array(z.string()).optional(),
  by: z.string().optional(),
});
export type Lineage = z.infer<typeof lineageSchema>;

export const datasetVersionSchema = z.object({
  dataset: datasetName,
  /** The version of the Delta table; the first is 0. */
  version: z.int(),
  /** `append`, `overwrite`, `merge`, `restore`, or the name that another writer of the Delta table gave it. */
  operation: z.string(),
  /** Of the columns and data files in order: equal for equal contents that are stored in the same way. */
  sha256: z.string(),
  rows: z.int(),
  files: z.int(),
  sizeBytes: z.int(),
  columnCount: z.int(),
  /** Bytes that this version wrote, and bytes that it shares with the version before. */
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

/** Identifies a version. Small enough for a run's history. */
export const versionRefSchema = z.object({
  dataset: datasetName,
  version: z.int(),
  sha256: z.string(),
  rows: z.int(),
});
export type VersionRef = z.infer<typeof versionRefSchema>;

export const datasetSchema = z.object({
  name: datasetName,
  /** Omitted before the first version. */
  latestVersion: z.int().optional(),
  rows: z.int().optional(),
  sizeBytes: z.int().optional(),
  updatedAt: z.number(),
});
export type Dataset = z.infer<typeof datasetSchema>;

/** A file that ingestion rejected. The file stays in the landing container. */
export const rejectionSchema = z.object({
  dataset: z.string(),
  source: sourceSchema,
  code: z.string(),
  reason: z.string(),
  /** Omitted when no run could start. */
  runId: z.string().optional(),
  rejectedAt: z.number(),
});
export type Rejection = z.infer<typeof rejectionSchema>;
