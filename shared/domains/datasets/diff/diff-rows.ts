import { z } from 'zod';
import { openCursor, sealCursor } from '../../../core/cursor.ts';
import { AppError } from '../../../core/errors.ts';
import type { FileCache } from '../reading/file-cache.ts';
import type { ReadableVersion } from '../versions/readable-version.ts';
import type { RowDiffer } from './row-differ.ts';
import type { RowDiff } from './row-diff.ts';
import { splitSharedFiles } from './shared-files.ts';

export const maxDiffRows = 1_000;

export interface DiffRowsDeps {
  readonly files: Pick<FileCache, 'open'>;
  readonly differ: RowDiffer;
}

export interface DiffRowsRequest {
  /** Columns that identify a row. Without keys, rows are compared as multisets. */
  readonly keys?: readonly string[] | undefined;
  /** At most `maxDiffRows`. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * A page of the rows that differ between two versions. Downloads and reads only files that the versions do not share,
 * so a duplicate key is not noticed if one of its rows is in a shared file. Each page compares again: nothing is kept
 * between pages.
 *
 * @throws AppError INVALID_ARGUMENT for an invalid limit, cursor or key
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
  const query = { before: before.sha256, after: after.sha256, keys: [...keys] };
  const offset = cursor === undefined ? 0 : openCursor(query, cursor, z.int().min(0));
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
    ...(found.left > 0 ? { cursor: sealCursor(query, offset + found.rows.length) } : {}),
  };
}
