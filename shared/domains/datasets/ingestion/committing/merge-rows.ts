import { copyFile, link } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import type { BlobStore } from '../../../../platform/storage/blobs.ts';
import type { Pace } from '../../../../platform/storage/optimistic.ts';
import type { Scratch } from '../../../../platform/storage/scratch.ts';
import type { FileCache } from '../../reading/file-cache.ts';
import type { Column } from '../../schema/column.ts';
import { dataBlob, dataPath } from '../../tables/data-file.ts';
import { describeFiles } from '../../tables/describe-version.ts';
import { sortFiles } from '../../tables/sort-files.ts';
import type { LocalDataFile } from '../staging/local-data-file.ts';
import { placeAppended, type PlacedFile } from './plan-commit.ts';
import type { Manifest } from '../staging/manifest.ts';
import { storeFile } from '../staging/store-file.ts';

/**
 * Puts the rows of a staged file over those of a table that have the same key, and the others behind them. Only files
 * with a row that changes are written anew, each in its place.
 */
export type MergeRows = (
  snapshot: Snapshot | undefined,
  manifest: Manifest,
  signal: AbortSignal,
) => Promise<{
  readonly sequence: readonly PlacedFile[];
  readonly merged: { readonly updated: number; readonly inserted: number };
}>;

/** Merges on this machine. */
export interface TableMerger {
  /** Keys are not null, and each stands once in the incoming files. */
  merge(job: MergeJob): Promise<MergedTables>;
}

export interface MergeJob {
  /** Local Parquet files; a column that some lack is null in those. */
  readonly existing: readonly string[];
  readonly incoming: readonly string[];
  readonly keys: readonly string[];
  /** Of the result, in order. */
  readonly columns: readonly Column[];
  /** Where results go; all files given are in it or below. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface MergedTables {
  /** By index into `existing`: those with a row that has another content now. */
  readonly rewritten: ReadonlyMap<number, LocalDataFile>;
  /** Incoming rows whose key was not there, in their order; left out when there is none. */
  readonly inserted?: LocalDataFile;
  /** Rows replaced by others; a row that comes in as it is there already counts for nothing. */
  readonly updated: number;
}

export interface MergeDeps {
  readonly blobs: BlobStore;
  readonly scratch: Scratch;
  readonly files: FileCache;
  readonly merger: TableMerger;
  readonly pace: Pace;
}

export function createMergeRows(deps: MergeDeps): MergeRows {
  const { blobs, scratch, files, merger, pace } = deps;
  return async (snapshot, manifest, signal) => {
    const { dataset, keys, columns } = manifest;
    const rowsIn = manifest.files.reduce((total, file) => total + file.rows, 0);
    if (!snapshot || snapshot.files.size === 0)
      return {
        sequence: placeAppended(snapshot, manifest.files),
        merged: { updated: 0, inserted: rowsIn },
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
    const store = (file: LocalDataFile) =>
      storeFile(blobs, dataset, file, {
        isLive: (path) => snapshot.files.has(path),
        now: pace.clock.now(),
      });
    const taken = new Set(snapshot.files.keys());
    const sequence: PlacedFile[] = [];
    for (const [index, { path }] of sortFiles(snapshot).entries()) {
      const rewritten = merged.rewritten.get(index);
      if (!rewritten) sequence.push({ path });
      else if (rewritten.rows > 0) sequence.push(placeNew(taken, await store(rewritten)));
    }
    if (merged.inserted) sequence.push(placeNew(taken, await store(merged.inserted)));
    return { sequence, merged: { updated: merged.updated, inserted: merged.inserted?.rows ?? 0 } };
  };
}

function placeNew(taken: Set<string>, staged: PlacedFile['staged'] & object): PlacedFile {
  let copy = 0;
  while (taken.has(dataPath(staged.sha256, copy))) copy += 1;
  const path = dataPath(staged.sha256, copy);
  taken.add(path);
  return { path, staged };
}

/** Under names of this folder: the cache's own are its secret. */
async function linkInto(folder: string, paths: readonly string[]): Promise<readonly string[]> {
  const linked: string[] = [];
  for (const [index, path] of paths.entries()) {
    const target = join(folder, `input-${index}.parquet`);
    await link(path, target).catch(() => copyFile(path, target));
    linked.push(target);
  }
  return linked;
}
