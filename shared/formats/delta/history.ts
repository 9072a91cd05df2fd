import { AppError } from '../../core/errors.ts';
import type { CommitInfo } from './log/actions.ts';
import type { LogFiles, StoredInfo } from './log/log-files.ts';

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

const maxLimit = 1_000;
/** Commits that are read at the same time. */
const maxConcurrent = 8;

/**
 * Who made the versions below one, and when.
 *
 * @throws INVALID_ARGUMENT for a limit other than 1–1000
 */
export async function readHistory(log: LogFiles, below: number, limit: number): Promise<HistoryPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw new AppError('INVALID_ARGUMENT', `A page of history has 1 to ${maxLimit} commits, not ${limit}.`);
  const commits: HistoryEntry[] = [];
  let next = below - 1;
  while (next >= 0 && commits.length < limit) {
    const count = Math.min(maxConcurrent, limit - commits.length, next + 1);
    const found = await Promise.all(Array.from({ length: count }, (_, index) => log.readInfo(next - index)));
    const there = found.filter((commit) => commit !== undefined);
    commits.push(...there.map(toEntry));
    // Below a missing one there is nothing: logs are cut off at their beginning.
    if (there.length < found.length) return { commits };
    next -= count;
  }
  return next >= 0 ? { commits, before: next + 1 } : { commits };
}

/**
 * The newest version that is not newer than a moment.
 *
 * @param newest a version that is known to be newer
 * @throws NOT_FOUND naming the first moment
 */
export async function searchVersionAt(log: LogFiles, timestampMs: number, newest: number): Promise<number> {
  let low = -1;
  let high = newest;
  let first: StoredInfo | undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const commit = await log.readInfo(middle);
    // A missing one was cut off with all before it.
    if (commit === undefined || commit.timestamp <= timestampMs) low = middle;
    else {
      high = middle;
      first = commit;
    }
  }
  if (low >= 0 && (await log.findCommitEtag(low)) !== undefined) return low;
  first ??= await log.readInfo(high);
  const since = first
    ? ` The oldest left is version ${first.version}, of ${new Date(first.timestamp).toISOString()}.`
    : '';
  throw new AppError('NOT_FOUND', `There was no version at ${showMoment(timestampMs)}.${since}`);
}

function toEntry({ version, timestamp, info }: StoredInfo): HistoryEntry {
  return { version, timestamp, ...(info === undefined ? {} : { info }) };
}

function showMoment(timestampMs: number): string {
  return Math.abs(timestampMs) <= 8.64e15 ? new Date(timestampMs).toISOString() : `${timestampMs} ms`;
}
