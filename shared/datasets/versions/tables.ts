import type { CheckpointFiles } from '../../delta/checkpoint-files.ts';
import { DeltaTable } from '../../delta/delta-table.ts';
import { blobContainers } from '../../names.ts';
import type { BlobStore } from '../../storage/blobs.ts';
import type { Pace } from '../../storage/optimistic.ts';

const maxOpen = 100;

export interface TableOptions {
  readonly blobs: BlobStore;
  readonly checkpoints: CheckpointFiles;
  readonly pace: Pace;
}

/** The Delta tables of datasets. Each keeps what it has read of its log; the hundred used last stay open. */
export class Tables {
  readonly #options: TableOptions;
  readonly #open = new Map<string, DeltaTable>();

  constructor(options: TableOptions) {
    this.#options = options;
  }

  of(dataset: string): DeltaTable {
    const table =
      this.#open.get(dataset) ??
      new DeltaTable({ ...this.#options, container: blobContainers.datasets, prefix: dataset });
    this.#open.delete(dataset);
    this.#open.set(dataset, table);
    const [oldest] = this.#open.keys();
    if (this.#open.size > maxOpen && oldest !== undefined) this.#open.delete(oldest);
    return table;
  }
}
