import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { BlobStore } from '../../../../platform/storage/blobs.ts';
import { dataBlob, dataPath } from '../../tables/data-file.ts';
import type { LocalDataFile } from './local-data-file.ts';
import type { StagedFile } from './manifest.ts';

/** Half of the time that files without a version are kept: what is older might be removed before it gets one. */
const freshMs = 3 * 24 * 3_600_000;

/**
 * Stores data files under their hash. One that is there already is not sent again, unless it lies there for so long
 * that it may be taken for forgotten.
 */
export async function storeFile(
  blobs: BlobStore,
  dataset: string,
  file: LocalDataFile,
  options: { readonly isLive: (path: string) => boolean; readonly now: number; readonly keep?: boolean },
): Promise<StagedFile> {
  const { path, sha256, sizeBytes, rows, stats } = file;
  const name = dataPath(sha256);
  const target = dataBlob(dataset, name);
  if (!options.isLive(name)) {
    const there = await blobs.head(target);
    const isFresh = there !== undefined && options.now - there.lastModified <= freshMs;
    if (!isFresh && !(there && (await blobs.touch(target))))
      await blobs.put(target, createReadStream(path), { contentType: 'application/vnd.apache.parquet' });
  }
  if (options.keep !== true) await rm(path, { force: true });
  return { sha256, sizeBytes, rows, stats: { columns: [...stats.columns] } };
}
