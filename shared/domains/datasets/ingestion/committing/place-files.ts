import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import { dataPath } from '../../tables/data-file.ts';
import type { StagedFile } from '../staging/manifest.ts';

/** A file of the version to be committed. */
export interface PlacedFile {
  readonly path: string;
  /** Undefined for a file that the table has already. */
  readonly staged?: StagedFile;
}

/** Gives a file the first free path of its content, and takes it. A table may hold equal content several times. */
export function placeUnder(taken: Set<string>, staged: StagedFile): PlacedFile {
  let copy = 0;
  while (taken.has(dataPath(staged.sha256, copy))) copy += 1;
  const path = dataPath(staged.sha256, copy);
  taken.add(path);
  return { path, staged };
}

/** The paths of files that are appended to a version. */
export function placeAppended(
  snapshot: Snapshot | undefined,
  files: readonly StagedFile[],
): readonly PlacedFile[] {
  const taken = new Set(snapshot?.files.keys());
  return files.map((staged) => placeUnder(taken, staged));
}

/** The paths of files that replace all of a version. Content that the table has already is not added again. */
export function placeOverwritten(
  snapshot: Snapshot | undefined,
  files: readonly StagedFile[],
): readonly PlacedFile[] {
  const copies = new Map<string, number>();
  return files.map((staged) => {
    const copy = copies.get(staged.sha256) ?? 0;
    copies.set(staged.sha256, copy + 1);
    const path = dataPath(staged.sha256, copy);
    return snapshot?.files.has(path) === true ? { path } : { path, staged };
  });
}
