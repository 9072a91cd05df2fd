import { AppError, isAppError } from '../../../core/errors.ts';
import type { CheckpointFiles } from '../log/checkpoint-files.ts';
import type { LogFiles, LogListing, StoredCommit } from '../log/log-files.ts';
import type { KnownSnapshot } from './snapshot-cache.ts';
import { Replay, type Snapshot } from './snapshot.ts';

export interface Loaded {
  readonly snapshot: Snapshot;
  /** Of the newest commit; omitted if only its checkpoint remains. */
  readonly etag?: string;
}

/** Concurrent reads. */
const maxConcurrent = 8;

/**
 * Loads a version from the log: from a checkpoint if there is one, and the commits after it.
 *
 * @param target a version, by default the newest. The result is older if the log does not have that version
 * @returns undefined when there is no table
 * @throws UNPROCESSABLE when the start of the log is missing, and no checkpoint can be read instead
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

/** Replays the commits after a snapshot, up to a version or to the newest. */
export async function loadAfter(
  log: LogFiles,
  { snapshot, etag }: KnownSnapshot,
  target = Infinity,
): Promise<Loaded> {
  return (await continueFrom(log, { from: { snapshot, etag }, ahead: 1 }, target)) ?? { snapshot, etag };
}

interface Base {
  readonly from?: Loaded;
  /** How many commits to request at first: 1 unless they are known to exist. */
  readonly ahead: number;
}

/**
 * Versions have no gaps, so the first missing commit is the end: one request if nothing is new. Otherwise doubles the
 * number of concurrent requests each time.
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

/** The checkpoint in `_last_checkpoint`, which is a hint and may be missing, broken or outdated. */
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

/** Lists the log to find a checkpoint: the hundred versions around the target first, then all. */
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
    throw new AppError(
      'NOT_FOUND',
      `The log of version ${target} has been deleted; the oldest remaining version is ${oldest}.`,
      {
        oldest,
      },
    );
  throw new AppError(
    'UNPROCESSABLE',
    'The Delta log is broken: its start is missing, and there is no readable checkpoint.',
  );
}

/** @returns undefined for a missing or unreadable checkpoint, which the log can do without */
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
