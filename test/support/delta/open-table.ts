import { createCheckpointFiles } from '../../../shared/adapters/duckdb/checkpoint-files.ts';
import { createScratch } from '../../../shared/adapters/embedded/scratch-files.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import {
  DeltaTable,
  type DeltaTableDeps,
  type TablePlace,
} from '../../../shared/formats/delta/delta-table.ts';
import { SnapshotCache } from '../../../shared/formats/delta/snapshots/snapshot-cache.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';

/** A table of real blobs and Parquet checkpoints, with a separate cache. */
export function openDeltaTable(
  blobs: BlobStore,
  deps: Pick<DeltaTableDeps, 'clock' | 'ids'>,
  place: TablePlace,
): DeltaTable {
  const checkpoints = createCheckpointFiles(createScratch(blobs));
  const cache = new SnapshotCache();
  return new DeltaTable({ blobs, checkpoints, ...deps, cache, logger: silentLogger }, place);
}
