import { AppError, isAppError } from '../../core/errors.ts';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { BlobLister, BlobReader, BlobWriter } from '../../platform/storage/blobs.ts';
import { type Action, type LogCommit } from './log/actions.ts';
import { checkCommit } from './check-commit.ts';
import type { CheckpointFiles } from './log/checkpoint-files.ts';
import { isCheckpointDue } from './checkpoints/checkpoint.ts';
import { type HistoryPage, readHistory, searchVersionAt } from './history.ts';
import { type Loaded, loadAfter, loadSnapshot } from './snapshots/load-snapshot.ts';
import { encodeEntry } from './log/log-entry.ts';
import { LogFiles } from './log/log-files.ts';
import type { SnapshotCache } from './snapshots/snapshot-cache.ts';
import { replay, type Snapshot } from './snapshots/snapshot.ts';
import { writeCheckpoint } from './checkpoints/write-checkpoint.ts';
import { writeCommit } from './log/write-commit.ts';

export interface DeltaTableDeps {
  readonly blobs: BlobReader & BlobWriter & BlobLister;
  readonly checkpoints: CheckpointFiles;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Shared by all tables of a process, so that a table can be opened for each request. */
  readonly cache: SnapshotCache;
  /** Logs failed checkpoints; their commits succeed. */
  readonly logger: Logger;
}

export interface TablePlace {
  readonly container: string;
  /** The table's folder, without a trailing slash. */
  readonly prefix: string;
}

/** @returns the actions to commit, at most one of them `commitInfo`; undefined to commit nothing */
export type Decide = (snapshot: Snapshot | undefined) => Promise<readonly Action[] | undefined>;

export interface Committed {
  /** Of the commit. If nothing was committed, of the newest snapshot, or -1 without a table. */
  readonly version: number;
  readonly isNew: boolean;
}

/** For more commits, loading a checkpoint is faster than replaying from the known snapshot. */
const maxCommitsAhead = 64;
/** Each lost race is a commit by another writer. */
const maxLostRaces = 500;

/**
 * A Delta table: a folder of a Blob container whose `_delta_log` lists the data files of its versions. Any number of
 * writers, ours and others, may commit concurrently.
 */
export class DeltaTable {
  readonly #deps: DeltaTableDeps;
  readonly #log: LogFiles;
  readonly #cache: SnapshotCache;
  readonly #key: string;

  constructor(deps: DeltaTableDeps, { container, prefix }: TablePlace) {
    this.#deps = deps;
    this.#log = new LogFiles(deps.blobs, container, prefix);
    this.#cache = deps.cache;
    this.#key = `${container}/${prefix}`;
  }

  /**
   * The newest version. Takes two small requests if it is cached.
   *
   * @returns undefined when there is no table
   * @throws UNPROCESSABLE for a broken log, or a table that requires unsupported features
   */
  async latest(): Promise<Snapshot | undefined> {
    return (await this.#load(Infinity))?.snapshot;
  }

  /** @throws NOT_FOUND naming the newest version, INVALID_ARGUMENT */
  async at(version: number): Promise<Snapshot> {
    checkVersion(version);
    const loaded = await this.#load(version);
    if (loaded?.snapshot.version === version) return loaded.snapshot;
    throw this.#noVersion(version, loaded?.snapshot);
  }

  /**
   * The version that was newest at a time, by the timestamps of commits.
   *
   * @throws NOT_FOUND naming the time of the oldest version
   */
  async versionAt(timestampMs: number): Promise<number> {
    const newest = await this.latest();
    if (newest === undefined) throw this.#noTable();
    if (newest.timestamp <= timestampMs) return newest.version;
    return searchVersionAt(this.#log, timestampMs, newest.version);
  }

  /** @param page `limit` 1–1000; `before`: only versions below it. @throws NOT_FOUND when there is no table */
  async history(page: { readonly limit: number; readonly before?: number }): Promise<HistoryPage> {
    const newest = await this.latest();
    if (newest === undefined) throw this.#noTable();
    const below = Math.min(page.before ?? Infinity, newest.version + 1);
    return readHistory(this.#log, below, page.limit);
  }

  /** The actions of one version. @throws NOT_FOUND naming the newest version, INVALID_ARGUMENT */
  async readCommit(version: number): Promise<LogCommit> {
    checkVersion(version);
    const commit = await this.#log.readCommit(version);
    if (commit) return commit;
    throw this.#noVersion(version, await this.latest());
  }

  /**
   * Commits optimistically: calls `decide` again with a newer snapshot whenever another writer commits first. The entry
   * gets a timestamp (later than that of the version before), and an id that identifies it if a response is lost.
   *
   * @throws INVALID_ARGUMENT for invalid actions; UNPROCESSABLE for a table that cannot be written to; RATE_LIMITED after
   *   500 lost races; UNAVAILABLE, TIMEOUT… when it is unknown whether the commit succeeded: a retry must detect its own
   *   commit by a `txn`
   */
  async commit(decide: Decide): Promise<Committed> {
    const { blobs, clock, ids } = this.#deps;
    const txnId = ids.uuid();
    for (let lost = 0; lost < maxLostRaces; lost += 1) {
      if (lost > 0) await clock.sleep(ids.random() * 20 * Math.min(lost, 10));
      const before = await this.latest();
      const decided = await decide(before);
      if (decided === undefined) return { version: before?.version ?? -1, isNew: false };
      const commit = this.#stamp(before, decided, txnId);
      checkCommit(before, commit.actions);
      const { version } = commit;
      const body = await encodeEntry(commit.actions);
      const etag = await writeCommit(blobs, this.#log, this.#deps, { version, txnId, body });
      if (etag === undefined) continue;
      const snapshot = replay(before, [commit]);
      this.#cache.put(this.#key, { snapshot, etag });
      await this.#keepCheckpoint(snapshot);
      return { version, isNew: true };
    }
    throw new AppError('RATE_LIMITED', `Too many concurrent writers commit to ${this.#key}.`, {
      retryAfterMs: 1_000,
    });
  }

  async #load(target: number): Promise<Loaded | undefined> {
    const { checkpoints } = this.#deps;
    const known = this.#cache.find(this.#key, target);
    let loaded: Loaded | undefined;
    if (known) {
      const reach = Math.min(target, known.snapshot.version + maxCommitsAhead);
      const [etag, after] = await Promise.all([
        this.#log.findCommitEtag(known.snapshot.version),
        loadAfter(this.#log, known, reach),
      ]);
      // The table was deleted and created again, or another writer truncated its log.
      if (etag !== known.etag) this.#cache.forget(this.#key);
      else if (reach === target || after.snapshot.version < reach) loaded = after;
    }
    loaded ??= await loadSnapshot(this.#log, checkpoints, target);
    if (loaded?.etag !== undefined)
      this.#cache.put(this.#key, { snapshot: loaded.snapshot, etag: loaded.etag });
    return loaded;
  }

  #stamp(before: Snapshot | undefined, actions: readonly Action[], txnId: string): LogCommit {
    const timestamp = Math.max(this.#deps.clock.now(), (before?.timestamp ?? -1) + 1);
    const infos = actions.filter((action) => action.kind === 'commitInfo');
    const others = actions.filter((action) => action.kind !== 'commitInfo');
    const [given, ...more] = infos;
    const stamped: Action = {
      kind: 'commitInfo',
      info: {
        operation: 'WRITE',
        operationParameters: {},
        ...given?.info,
        timestamp,
        txnId,
        ...(before && { readVersion: before.version }),
      },
    };
    return {
      version: (before?.version ?? -1) + 1,
      timestamp,
      actions: [stamped, ...more, ...others],
    };
  }

  async #keepCheckpoint(snapshot: Snapshot): Promise<void> {
    if (!isCheckpointDue(snapshot)) return;
    const { blobs, checkpoints, clock, logger } = this.#deps;
    try {
      await writeCheckpoint(blobs, this.#log, checkpoints, snapshot, clock.now());
    } catch (error) {
      // The log holds all that the checkpoint would, and the next checkpoint is due soon.
      const reason = isAppError(error)
        ? { code: error.code, reason: error.message }
        : { reason: String(error) };
      logger.log('warn', 'checkpoint failed', {
        table: this.#key,
        version: snapshot.version,
        ...reason,
      });
    }
  }

  #noTable(): AppError {
    return new AppError('NOT_FOUND', `There is no Delta table in ${this.#key}.`);
  }

  #noVersion(version: number, newest: Snapshot | undefined): AppError {
    if (newest === undefined) return this.#noTable();
    const message =
      version > newest.version
        ? `There is no version ${version}; the newest is ${newest.version}.`
        : `The log of version ${version} has been deleted.`;
    return new AppError('NOT_FOUND', message, { version, newest: newest.version });
  }
}

function checkVersion(version: number): void {
  if (!Number.isSafeInteger(version) || version < 0)
    throw new AppError('INVALID_ARGUMENT', `Invalid version ${version}: versions start at 0.`);
}
