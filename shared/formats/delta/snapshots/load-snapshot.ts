import { AppError, isAppError } from '../../../core/errors.ts';
import type { CheckpointFiles } from '../log/checkpoint-files.ts';
import type { LogFiles, LogListing, StoredCommit } from '../log/log-files.ts';
import type { KnownSnapshot } from './snapshot-cache.ts';
import { Replay, type Snapshot } from './snapshot.ts';

export interface Loaded {
  readonly snapshot: Snapshot;
  /** Of the newest commit; left out when only a checkpoint is left of it. */
  readonly etag?: string;
}

/** Commits that are read at the same time. */
const maxConcurrent = 8;

/**
 * A table as its log has it: from a checkpoint when one helps, and the commits after it.
 *
 * @param target a version; left out: the newest. The result is older when the log has no such version (yet)
 * @returns undefined when there is no table
 * @throws UNPROCESSABLE when the log's beginning is missing and no checkpoint can be read in its place
 */
export async function loadSnapshot(
  log: LogFiles,
  checkpoints: CheckpointFiles,
  target: number = Infinity,
): Promise<Loaded | undefined> {
  const base =
    (await loadLastCheckpoint(log, checkpoints, target)) ?? (await findBase(log, checkpoints, target));
  return base && continueFrom(log, base, target);
}

/** Reads the commits after a snapshot, up to a version or to the newest. */
export async function loadAfter(
  log: LogFiles,
  { snapshot, etag }: KnownSnapshot,
  target = Infinity,
): Promise<Loaded> {
  return (await continueFrom(log, { from: { snapshot, etag }, ahead: 1 }, target)) ?? { snapshot, etag };
}

interface Base {
  readonly from?: Loaded;
  /** How many commits to ask for at first: 1 unless they are known to be there. */
  readonly ahead: number;
}

/**
 * Versions follow each other without gaps, so what comes after the newest is known by its absence: one request when
 * nothing is new. When something is, twice as many are asked for at once each time.
 */
async function continueFrom(log: LogFiles, base: Base, target: number): Promise<Loaded | undefined> {
  let { ahead } = base;
  let next = (base.from?.snapshot.version ?? -1) + 1;
  let newest: StoredCommit | undefined;
  const replay = new Replay(base.from?.snapshot);
  let isMore = next <= target;
  while (isMore) {
    const count = Math.min(ahead, target - next + 1);
    const found = await Promise.all(
      Array.from({ length: count }, (_, index) => log.readCommit(next + index)),
    );
    for (const commit of found) {
      isMore &&= commit !== undefined;
      if (!isMore || commit === undefined) break;
      replay.apply(commit);
      newest = commit;
      next += 1;
    }
    isMore &&= next <= target;
    ahead = Math.min(2 * ahead, maxConcurrent);
  }
  if (newest !== undefined) return { snapshot: replay.finish(), etag: newest.etag };
  return base.from;
}

/** What `_last_checkpoint` points to; it is a hint, and may be missing, broken or behind. */
async function loadLastCheckpoint(
  log: LogFiles,
  checkpoints: CheckpointFiles,
  target: number,
): Promise<Base | undefined> {
  const pointer = await log.readLastCheckpoint();
  if (pointer === undefined || pointer.version > target) return undefined;
  const from = await loadCheckpoint(log, checkpoints, pointer.version);
  return from && { from, ahead: 1 };
}

/** Looks into the listing of the log: the hundred versions around the target first, then all of it. */
async function findBase(
  log: LogFiles,
  checkpoints: CheckpointFiles,
  target: number,
): Promise<Base | undefined> {
  const listings = [
    ...(Number.isFinite(target) ? [() => log.list({ version: target, digits: 2 })] : []),
    () => log.list(),
  ];
  const tried = new Set<number>();
  let all: LogListing = { commits: [], checkpoints: [] };
  for (const list of listings) {
    const listing = await list();
    for (const version of listing.checkpoints.toReversed()) {
      if (version > target || tried.has(version)) continue;
      tried.add(version);
      const from = await loadCheckpoint(log, checkpoints, version);
      if (from) return { from, ahead: maxConcurrent };
    }
    const [first] = listing.commits;
    if (first === 0) return { ahead: maxConcurrent };
    all = listing;
  }
  if (all.commits.length === 0 && all.checkpoints.length === 0) return undefined;
  const [oldest] = all.checkpoints;
  if (oldest !== undefined && oldest > target)
    throw new AppError('NOT_FOUND', `The log of version ${target} is gone; the oldest left is ${oldest}.`, {
      oldest,
    });
  throw new AppError(
    'UNPROCESSABLE',
    'The Delta log is broken: its beginning is missing, and there is no checkpoint that can be read in its place.',
  );
}

/** @returns undefined for a checkpoint that is missing or cannot be read: the log can do without */
async function loadCheckpoint(
  log: LogFiles,
  checkpoints: CheckpointFiles,
  version: number,
): Promise<Loaded | undefined> {
  const [file, commit] = await Promise.all([log.readCheckpoint(version), log.readInfo(version)]);
  if (file === undefined) return undefined;
  try {
    const replay = new Replay();
    for await (const action of checkpoints.read(file.bytes)) replay.applyAction(action);
    replay.apply({ version, timestamp: commit?.timestamp ?? file.lastModified, actions: [] });
    return { snapshot: replay.finish(), ...(commit && { etag: commit.etag }) };
  } catch (error) {
    if (!isAppError(error, 'UNPROCESSABLE')) throw error;
    return undefined;
  }
}
