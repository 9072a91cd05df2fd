import type { Clock } from '../../../core/clock.ts';
import type { Ids } from '../../../core/ids.ts';
import type { Logger } from '../../../core/logger.ts';
import { blobContainers } from '../../../core/names/resources.ts';
import { DeltaTable } from '../../../formats/delta/delta-table.ts';
import type { CheckpointFiles } from '../../../formats/delta/log/checkpoint-files.ts';
import { SnapshotCache } from '../../../formats/delta/snapshots/snapshot-cache.ts';
import type { BlobLister, BlobReader, BlobWriter } from '../../../platform/storage/blobs.ts';

export interface TablesDeps {
  readonly blobs: BlobReader & BlobWriter & BlobLister;
  readonly checkpoints: CheckpointFiles;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** The Delta tables of datasets. They share one bounded cache of snapshots. */
export class Tables {
  readonly #cache = new SnapshotCache();
  readonly #deps: TablesDeps;

  constructor(deps: TablesDeps) {
    this.#deps = deps;
  }

  of(dataset: string): DeltaTable {
    const place = { container: blobContainers.datasets, prefix: dataset };
    return new DeltaTable({ ...this.#deps, cache: this.#cache }, place);
  }
}
