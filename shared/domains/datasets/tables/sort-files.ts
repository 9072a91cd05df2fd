import type { AddFile } from '../../../formats/delta/log/actions.ts';
import type { Snapshot } from '../../../formats/delta/snapshots/snapshot.ts';
import { readOrder } from './row-order.ts';

/** The files of a snapshot in row order. */
export function sortFiles(snapshot: Snapshot): readonly AddFile[] {
  const unordered = Number.MAX_VALUE;
  return [...snapshot.files.values()]
    .map((file, index) => ({ file, index, order: readOrder(file.tags) ?? unordered }))
    .sort((a, b) => a.order - b.order || a.index - b.index)
    .map(({ file }) => file);
}
