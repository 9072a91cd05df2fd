import { z } from 'zod';
import { AppError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/ids.ts';
import { tryParseJson } from '../../../core/json.ts';
import type { FileCache } from '../reading/file-cache.ts';
import type { ReadableVersion } from '../versions/readable-version.ts';
import type { RowDiffer } from './row-differ.ts';
import type { RowDiff } from './row-diff.ts';
import { splitSharedFiles } from './shared-files.ts';

export const maxDiffRows = 1_000;

export interface DiffRowsDeps {
  readonly files: FileCache;
  readonly differ: RowDiffer;
}

export interface DiffRowsRequest {
  /** Columns that tell rows apart; none: rows are compared as a multiset. */
  readonly keys?: readonly string[] | undefined;
  /** At most `maxDiffRows`. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * A page of the rows by which two versions differ. Only the files that they do not share are brought here and read: a key
 * that stands in one of these and in a shared one is not found to stand twice.
 *
 * Each page compares anew: nothing is kept between pages.
 *
 * @throws AppError INVALID_ARGUMENT for a limit, a cursor or keys that cannot be
 */
export async function diffRows(
  { files, differ }: DiffRowsDeps,
  before: ReadableVersion,
  after: ReadableVersion,
  { keys = [], limit, cursor }: DiffRowsRequest,
  signal?: AbortSignal,
): Promise<RowDiff> {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxDiffRows)
    throw new AppError('INVALID_ARGUMENT', `"limit" must be 1 to ${maxDiffRows}.`, { limit });
  const digest = sha256(JSON.stringify([before.sha256, after.sha256, keys])).slice(0, 16);
  const offset = cursor === undefined ? 0 : decodeCursor(digest, cursor);
  const own = splitSharedFiles(before.files, after.files);
  await using lease = await files.open([...own.before, ...own.after], signal ? { signal } : {});
  const found = await differ.diff(
    { paths: lease.paths.slice(0, own.before.length), columns: before.columns },
    { paths: lease.paths.slice(own.before.length), columns: after.columns },
    { keys, offset, limit },
    signal,
  );
  const counts = { ...found.counts, unchanged: found.counts.unchanged + own.sharedRows };
  return {
    ...(cursor === undefined ? { counts } : {}),
    columns: found.columns,
    keys: [...keys],
    rows: found.rows,
    ...(found.left > 0 ? { cursor: encodeCursor(digest, offset + found.rows.length) } : {}),
  };
}

const cursorSchema = z.tuple([z.literal(1), z.string(), z.int().min(0)]);

function encodeCursor(digest: string, offset: number): string {
  return Buffer.from(JSON.stringify([1, digest, offset])).toString('base64url');
}

function decodeCursor(digest: string, cursor: string): number {
  const parsed = cursorSchema.safeParse(tryParseJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success || parsed.data[1] !== digest)
    throw new AppError('INVALID_ARGUMENT', 'The cursor is not one of these versions and keys.');
  return parsed.data[2];
}
