import { AppError } from '../core/errors.ts';
import type { BlobStore } from '../storage/blobs.ts';
import type { Pace } from '../storage/optimistic.ts';
import type { Action, CommitInfo } from './actions.ts';
import type { CheckpointFiles } from './checkpoint-files.ts';
import type { Snapshot } from './snapshot.ts';

export interface DeltaTableOptions {
  readonly blobs: BlobStore;
  readonly container: string;
  /** The table's folder, without a slash at its end. */
  readonly prefix: string;
  readonly checkpoints: CheckpointFiles;
  readonly pace: Pace;
  /** Shared among tables, so that a table that is opened for each request stays known. Default: one of its own. */
  readonly cache?: SnapshotCache;
}

/** See `snapshot-cache.ts`. */
export type SnapshotCache = object;

/** @returns the actions to commit (one may be `commitInfo`); undefined: there is nothing to do */
export type Decide = (snapshot: Snapshot | undefined) => Promise<readonly Action[] | undefined>;

export interface Committed {
  /** Of the commit; of the newest snapshot when there was nothing to do, -1 when there is no table then. */
  readonly version: number;
  readonly isNew: boolean;
}

export interface LogCommit {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly actions: readonly Action[];
}

export interface HistoryEntry {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** Left out when its writer said nothing. */
  readonly info?: CommitInfo;
}

export interface HistoryPage {
  /** Newest first. */
  readonly commits: readonly HistoryEntry[];
  /** What to ask for as `before` next; left out when there are no older ones. */
  readonly before?: number;
}

/** One Delta table: a folder of a Blob container, whose `_delta_log` says which data files its versions are. */
export class DeltaTable {
  readonly #options: DeltaTableOptions;

  constructor(options: DeltaTableOptions) {
    this.#options = options;
  }

  /** @returns undefined when there is no table */
  async latest(): Promise<Snapshot | undefined> {
    throw missing(this.#options);
  }

  /** @throws NOT_FOUND naming the newest version */
  async at(_version: number): Promise<Snapshot> {
    throw missing(this.#options);
  }

  /** The newest version that was there at that moment. @throws NOT_FOUND naming the first moment */
  async versionAt(_timestampMs: number): Promise<number> {
    throw missing(this.#options);
  }

  async history(_page: { readonly limit: number; readonly before?: number }): Promise<HistoryPage> {
    throw missing(this.#options);
  }

  /** @throws NOT_FOUND */
  async readCommit(_version: number): Promise<LogCommit> {
    throw missing(this.#options);
  }

  /** Optimistic: `decide` is asked again, with the newer snapshot, each time another writer came first. */
  async commit(_decide: Decide): Promise<Committed> {
    throw missing(this.#options);
  }
}

function missing(options: DeltaTableOptions): AppError {
  return new AppError('NOT_IMPLEMENTED', `${options.prefix}: being built`);
}
