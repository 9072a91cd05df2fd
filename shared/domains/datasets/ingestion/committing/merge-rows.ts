import { copyFile, link } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../../core/clock.ts';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import type { BlobReader, BlobRenewer, BlobWriter } from '../../../../platform/storage/blobs.ts';
import type { ScratchFolders } from '../../../../platform/storage/scratch.ts';
import type { FileCache } from '../../reading/file-cache.ts';
import { dataBlob, dataPath } from '../../tables/data-file.ts';
import { describeFiles } from '../../tables/describe-version.ts';
import { sortFiles } from '../../tables/sort-files.ts';
import type { LocalDataFile } from '../staging/local-data-file.ts';
import type { Manifest, StagedFile } from '../staging/manifest.ts';
import { storeFile } from '../staging/store-file.ts';
import { placeAppended, type PlacedFile, placeUnder } from './place-files.ts';
import type { TableMerger } from './table-merger.ts';

export interface MergeRowsDeps {
  readonly blobs: BlobReader & BlobWriter & BlobRenewer;
  readonly scratch: ScratchFolders;
  readonly files: Pick<FileCache, 'open'>;
  readonly merger: TableMerger;
  readonly clock: Clock;
}

export interface MergedRows {
  /** All files of the merged version, in row order. */
  readonly sequence: readonly PlacedFile[];
  readonly updated: number;
  readonly inserted: number;
}

/**
 * Replaces rows of a table by staged rows with the same key, and appends the other staged rows. Rewrites only files
 * with a changed row, each in its position.
 */
export async function mergeRows(
  { blobs, scratch, files, merger, clock }: MergeRowsDeps,
  snapshot: Snapshot | undefined,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<MergedRows> {
  const { dataset, keys, columns } = manifest;
  if (!snapshot || snapshot.files.size === 0)
    return {
      sequence: placeAppended(snapshot, manifest.files),
      updated: 0,
      inserted: manifest.files.reduce((total, file) => total + file.rows, 0),
    };
  const existing = describeFiles(dataset, snapshot);
  const incoming = manifest.files.map(({ sha256, sizeBytes, rows }) => ({
    path: dataBlob(dataset, dataPath(sha256)).name,
    sha256,
    sizeBytes,
    rows,
  }));
  await using lease = await files.open([...existing, ...incoming], { signal });
  await using folder = await scratch.openFolder();
  const paths = await linkInto(folder.path, lease.paths);
  const merged = await merger.merge({
    existing: paths.slice(0, existing.length),
    incoming: paths.slice(existing.length),
    keys,
    columns,
    directory: folder.path,
    signal,
  });
  const isLive = (path: string) => snapshot.files.has(path);
  const store = (file: LocalDataFile): Promise<StagedFile> =>
    storeFile(blobs, dataset, file, { isLive, now: clock.now(), keep: false });
  const taken = new Set(snapshot.files.keys());
  const sequence: PlacedFile[] = [];
  for (const [index, { path }] of sortFiles(snapshot).entries()) {
    const rewritten = merged.rewritten.get(index);
    if (!rewritten) sequence.push({ path });
    else if (rewritten.rows > 0) sequence.push(placeUnder(taken, await store(rewritten)));
  }
  if (merged.inserted) sequence.push(placeUnder(taken, await store(merged.inserted)));
  return { sequence, updated: merged.updated, inserted: merged.inserted?.rows ?? 0 };
}

/** Links the files into the folder that the merger may read. */
async function linkInto(folder: string, paths: readonly string[]): Promise<readonly string[]> {
  const linked: string[] = [];
  for (const [index, path] of paths.entries()) {
    const target = join(folder, `input-${index}.parquet`);
    await link(path, target).catch(() => copyFile(path, target));
    linked.push(target);
  }
  return linked;
}
