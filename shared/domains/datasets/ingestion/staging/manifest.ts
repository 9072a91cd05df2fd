import { z } from 'zod';
import { validate } from '../../../../core/validate.ts';
import { blobContainers } from '../../../../core/names.ts';
import type { BlobRef, BlobStore } from '../../../../platform/storage/blobs.ts';
import { datasetName, modes, sourceSchema } from '../../entities.ts';
import { quarantineEntrySchema } from '../../quarantine/quarantine-entry.ts';
import { columnsSchema } from '../../schema/column.ts';
import { chunkSizeSchema } from '../../tables/chunk-size.ts';

const columnStatsSchema = z.object({
  column: z.string(),
  nulls: z.int(),
  min: z.string().optional(),
  max: z.string().optional(),
});

/** A data file that is stored already, and belongs to no version yet. */
export const stagedFileSchema = z.object({
  sha256: z.string(),
  sizeBytes: z.int(),
  rows: z.int(),
  stats: z.object({ columns: z.array(columnStatsSchema) }),
});
export type StagedFile = z.infer<typeof stagedFileSchema>;

/** All that a commit needs to know of a file that was read; too long for a pipeline's history, so it is a blob. */
export const manifestSchema = z.object({
  dataset: datasetName,
  source: sourceSchema,
  sourceSha256: z.string(),
  mode: z.enum(modes),
  keys: z.array(z.string()),
  /** Of the files; what the table had when they were read, and what they add. */
  columns: columnsSchema,
  /** The version of the table whose schema the rows were read by; -1: there was none, the schema is inferred. */
  schemaVersion: z.int(),
  /** How the file was cut: later files of the dataset are cut alike. */
  chunkSize: chunkSizeSchema.optional(),
  files: z.array(stagedFileSchema),
  rowsIn: z.int(),
  rowsQuarantined: z.int(),
  notes: z.array(z.string()),
  quarantine: quarantineEntrySchema.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** What a pipeline's history carries of it. */
export const stagedSchema = z.object({
  dataset: datasetName,
  source: sourceSchema,
  manifest: z.string(),
  rowsIn: z.int(),
  rowsQuarantined: z.int(),
});
export type Staged = z.infer<typeof stagedSchema>;

/** Under `_slipway/`, which readers of Delta tables pass over. */
export function manifestBlob(dataset: string, runId: string): BlobRef {
  return { container: blobContainers.datasets, name: `${dataset}/_slipway/staged/${runId}.json` };
}

export async function putManifest(blobs: BlobStore, ref: BlobRef, manifest: Manifest): Promise<void> {
  await blobs.put(ref, JSON.stringify(manifest), { contentType: 'application/json' });
}

export async function readManifest(blobs: BlobStore, ref: BlobRef): Promise<Manifest> {
  const chunks = await Array.fromAsync((await blobs.open(ref)).body);
  return validate(manifestSchema, JSON.parse(Buffer.concat(chunks).toString('utf8')), ref.name);
}
