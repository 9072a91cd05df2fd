import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { BlobReader, BlobRenewer, BlobWriter } from '../../../../platform/storage/blobs.ts';
import { dataBlob, dataPath } from '../../tables/data-file.ts';
import type { LocalDataFile } from './local-data-file.ts';
import type { StagedFile } from './manifest.ts';

/** Less than half of `orphanMs`: an older file might be vacuumed before its version is committed. */
export const freshMs = 3 * 24 * 3_600_000;

export interface StoreFileOptions {
  /** Whether the table's newest version has a file of that path. */
  readonly isLive: (path: string) => boolean;
  readonly now: number;
  /** Whether to keep the local copy. */
  readonly keep: boolean;
}

/** Stores a data file under its hash. A blob that exists is not uploaded again; an old one is touched. */
export async function storeFile(
  blobs: BlobReader & BlobWriter & BlobRenewer,
  dataset: string,
  file: LocalDataFile,
  { isLive, now, keep }: StoreFileOptions,
): Promise<StagedFile> {
  const { path, sha256, sizeBytes, rows, stats } = file;
  const name = dataPath(sha256);
  const target = dataBlob(dataset, name);
  if (!isLive(name)) {
    const stored = await blobs.head(target);
    const isFresh = stored !== undefined && now - stored.lastModified <= freshMs;
    if (!isFresh && !(stored && (await blobs.touch(target))))
      await blobs.put(target, createReadStream(path), { contentType: 'application/vnd.apache.parquet' });
  }
  if (!keep) await rm(path, { force: true });
  return { sha256, sizeBytes, rows, stats: { columns: [...stats.columns] } };
}
