import type { CheckpointFiles } from '../../../formats/delta/log/checkpoint-files.ts';
import { DeltaTable } from '../../../formats/delta/delta-table.ts';
import { SnapshotCache } from '../../../formats/delta/snapshots/snapshot-cache.ts';
import { blobContainers } from '../../../core/names.ts';
import type { BlobStore } from '../../../platform/storage/blobs.ts';
import type { Pace } from '../../../platform/storage/optimistic.ts';

export interface TableOptions {
  readonly blobs: BlobStore;
  readonly checkpoints: CheckpointFiles;
  readonly pace: Pace;
}

/** The Delta tables of datasets. What was read last of their logs is kept, within bounds over all of them. */
export class Tables {
  readonly #cache = new SnapshotCache();
  readonly #options: TableOptions;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  of(dataset: string): DeltaTable {
    return new DeltaTable({
      ...this.#options,
      container: blobContainers.datasets,
      prefix: dataset,
      cache: this.#cache,
    });
  }
}
