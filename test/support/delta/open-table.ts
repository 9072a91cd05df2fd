import { createCheckpointFiles } from '../../../shared/adapters/duckdb/checkpoint-files.ts';
import { createScratch } from '../../../shared/adapters/embedded/scratch-files.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { DeltaTable, type TablePlace } from '../../../shared/formats/delta/delta-table.ts';
import { SnapshotCache } from '../../../shared/formats/delta/snapshots/snapshot-cache.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import type { Pace } from '../../../shared/platform/storage/optimistic.ts';

/** A table of real blobs and Parquet checkpoints, with a cache of its own. */
export function openDeltaTable(blobs: BlobStore, pace: Pace, place: TablePlace): DeltaTable {
  const checkpoints = createCheckpointFiles(createScratch(blobs));
  const cache = new SnapshotCache();
  return new DeltaTable({ blobs, checkpoints, pace, cache, logger: silentLogger }, place);
}
