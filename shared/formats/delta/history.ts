import { AppError } from '../../core/errors.ts';
import type { CommitInfo } from './log/actions.ts';
import type { LogFiles, StoredInfo } from './log/log-files.ts';

export interface HistoryEntry {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** Omitted if the commit has none. */
  readonly info?: CommitInfo;
}

export interface HistoryPage {
  /** Newest first. */
  readonly commits: readonly HistoryEntry[];
  /** The `before` of the next page; omitted on the last page. */
  readonly before?: number;
}

const maxLimit = 1_000;
/** Concurrent reads. */
const maxConcurrent = 8;

/**
 * Lists the commits below a version.
 *
 * @throws INVALID_ARGUMENT for a limit other than 1–1000
 */
export async function readHistory(log: LogFiles, below: number, limit: number): Promise<HistoryPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit)
    throw new AppError(
      'INVALID_ARGUMENT',
      `Invalid limit ${limit}: a page of history has 1 to ${maxLimit} commits.`,
    );
  const commits: HistoryEntry[] = [];
  let next = below - 1;
  while (next >= 0 && commits.length < limit) {
    const count = Math.min(maxConcurrent, limit - commits.length, next + 1);
    const found = await Promise.all(Array.from({ length: count }, (_, index) => log.readInfo(next - index)));
    const there = found.filter((commit) => commit !== undefined);
    commits.push(...there.map(toEntry));
    // Logs are truncated at their start: nothing precedes a missing commit.
    if (there.length < found.length) return { commits };
    next -= count;
  }
  return next >= 0 ? { commits, before: next + 1 } : { commits };
}

/**
 * Finds the newest version that is not newer than a time.
 *
 * @param newest a version known to be newer
 * @throws NOT_FOUND naming the time of the oldest version
 */
export async function searchVersionAt(log: LogFiles, timestampMs: number, newest: number): Promise<number> {
  let low = -1;
  let high = newest;
  let first: StoredInfo | undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const commit = await log.readInfo(middle);
    // A missing commit was truncated with all before it.
    if (commit === undefined || commit.timestamp <= timestampMs) low = middle;
    else {
      high = middle;
      first = commit;
    }
  }
  if (low >= 0 && (await log.findCommitEtag(low)) !== undefined) return low;
  first ??= await log.readInfo(high);
  const since = first
    ? ` The oldest remaining version is ${first.version}, committed at ${new Date(first.timestamp).toISOString()}.`
    : '';
  throw new AppError('NOT_FOUND', `There was no version at ${showMoment(timestampMs)}.${since}`);
}

function toEntry({ version, timestamp, info }: StoredInfo): HistoryEntry {
  return { version, timestamp, ...(info === undefined ? {} : { info }) };
}

function showMoment(timestampMs: number): string {
  return Math.abs(timestampMs) <= 8.64e15 ? new Date(timestampMs).toISOString() : `${timestampMs} ms`;
}
