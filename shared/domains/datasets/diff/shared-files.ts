import type { DataFile } from '../tables/data-file.ts';

/** What is left of two versions when the files that both have, which hold the same rows, are left out of each. */
export interface OwnFiles {
  readonly before: readonly DataFile[];
  readonly after: readonly DataFile[];
  /** In the files that were left out. */
  readonly sharedRows: number;
}

/** Files are the same when their bytes are; one that stands twice in a version is left out as often as in the other. */
export function splitSharedFiles(before: readonly DataFile[], after: readonly DataFile[]): OwnFiles {
  const identity = ({ sha256, path }: DataFile) => sha256 ?? path;
  const unmatched = new Map<string, number>();
  for (const file of before) unmatched.set(identity(file), (unmatched.get(identity(file)) ?? 0) + 1);
  const shared = new Map<string, number>();
  let sharedRows = 0;
  const ownAfter = after.filter((file) => {
    const key = identity(file);
    const left = unmatched.get(key) ?? 0;
    if (left === 0) return true;
    unmatched.set(key, left - 1);
    shared.set(key, (shared.get(key) ?? 0) + 1);
    sharedRows += file.rows;
    return false;
  });
  const ownBefore = before.filter((file) => {
    const left = shared.get(identity(file)) ?? 0;
    if (left > 0) shared.set(identity(file), left - 1);
    return left === 0;
  });
  return { before: ownBefore, after: ownAfter, sharedRows };
}
