import type { DataFile } from '../tables/data-file.ts';

/** The files of two versions without those that both have. */
export interface OwnFiles {
  readonly before: readonly DataFile[];
  readonly after: readonly DataFile[];
  /** Rows of the files that both have. */
  readonly sharedRows: number;
}

/** Compares files by their bytes. A file that a version holds twice is removed as often as the other version has it. */
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
