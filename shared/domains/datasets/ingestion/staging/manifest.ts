import { z } from 'zod';
import { blobContainers } from '../../../../core/names/resources.ts';
import { validate } from '../../../../core/validate.ts';
import type { BlobReader, BlobRef, BlobWriter, OpenedBlob } from '../../../../platform/storage/blobs.ts';
import { datasetName } from '../../../../core/names/dataset-name.ts';
import { modes, sourceSchema } from '../../entities.ts';
import { quarantineEntrySchema } from '../../quarantine/quarantine-entry.ts';
import { columnsSchema } from '../../schema/column.ts';
import { chunkSizeSchema } from '../../tables/chunk-size.ts';
import { isMissingBlob } from './missing-blob.ts';

const columnStatsSchema = z.object({
  column: z.string(),
  nulls: z.int(),
  min: z.string().optional(),
  max: z.string().optional(),
});

/** A stored data file that belongs to no version yet. */
export const stagedFileSchema = z.object({
  sha256: z.string(),
  sizeBytes: z.int(),
  rows: z.int(),
  stats: z.object({ columns: z.array(columnStatsSchema) }),
});
export type StagedFile = z.infer<typeof stagedFileSchema>;

/** All that a commit needs to know about a staged file. It is a blob because it is too large for a run's history. */
export const manifestSchema = z.object({
  dataset: datasetName,
  source: sourceSchema,
  sourceSha256: z.string(),
  mode: z.enum(modes),
  keys: z.array(z.string()),
  /** The columns of the files: those of the table when the file was read, and those that the file adds. */
  columns: columnsSchema,
  /** The version of the table whose columns the file was read by; -1 when there was none. */
  schemaVersion: z.int(),
  /** How the file was cut into chunks. Later files of the dataset are cut alike. */
  chunkSize: chunkSizeSchema.optional(),
  files: z.array(stagedFileSchema),
  rowsIn: z.int(),
  rowsQuarantined: z.int(),
  notes: z.array(z.string()),
  quarantine: quarantineEntrySchema.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The part of a staged file that a run's history holds. */
export const stagedSchema = z.object({
  dataset: datasetName,
  source: sourceSchema,
  /** The name of the manifest's blob. */
  manifest: z.string(),
  rowsIn: z.int(),
  rowsQuarantined: z.int(),
});
export type Staged = z.infer<typeof stagedSchema>;

/** Under `_slipway/`, which readers of Delta tables ignore. One for each step: a run may stage several files. */
export function manifestBlob(
  dataset: string,
  { runId, step }: { readonly runId: string; readonly step: string },
): BlobRef {
  return { container: blobContainers.datasets, name: `${dataset}/_slipway/staged/${runId}.${step}.json` };
}

export async function putManifest(blobs: BlobWriter, ref: BlobRef, manifest: Manifest): Promise<void> {
  await blobs.put(ref, JSON.stringify(manifest), { contentType: 'application/json' });
}

export interface StoredManifest {
  readonly manifest: Manifest;
  /** Milliseconds since the Unix epoch. */
  readonly writtenAt: number;
}

/** @returns undefined when the blob does not exist */
export async function readManifest(
  blobs: BlobReader,
  { manifest: name }: Pick<Staged, 'manifest'>,
): Promise<StoredManifest | undefined> {
  let opened: OpenedBlob;
  try {
    opened = await blobs.open({ container: blobContainers.datasets, name });
  } catch (error) {
    if (isMissingBlob(error)) return undefined;
    throw error;
  }
  const chunks = await Array.fromAsync(opened.body);
  const manifest = validate(manifestSchema, JSON.parse(Buffer.concat(chunks).toString('utf8')), name);
  return { manifest, writtenAt: opened.properties.lastModified };
}
