import { type Action, type AddFile, removeFile } from '../../../../formats/delta/log/actions.ts';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import { orderFiles, orderTag, readOrder } from '../../tables/row-order.ts';
import type { StagedFile } from '../staging/manifest.ts';
import type { PlacedFile } from './place-files.ts';

/**
 * The actions that make a sequence of files the table's content: adds new files, removes missing ones, and adds moved
 * ones again with their new order.
 *
 * @param sequence all files of the next version, in row order
 */
export function planContent(
  snapshot: Snapshot | undefined,
  sequence: readonly PlacedFile[],
  toStats: (file: StagedFile) => string,
  now: number,
): Action[] {
  const before = snapshot?.files ?? new Map<string, AddFile>();
  const orders = orderFiles(
    sequence.map(({ path, staged }) => {
      const order = staged ? undefined : readOrder(before.get(path)?.tags);
      return order === undefined ? { path } : { path, order };
    }),
  );
  const kept = new Set(sequence.map(({ path }) => path));
  const removes = [...before.values()]
    .filter(({ path }) => !kept.has(path))
    .map((file) => removeFile(file, { deletionTimestamp: now, dataChange: true }));
  const adds = sequence.flatMap(({ path, staged }, index): Action[] => {
    const tags = { [orderTag]: String(orders[index]) };
    if (staged) {
      const stats = toStats(staged);
      const { sizeBytes: size } = staged;
      return [{ kind: 'add', file: { path, size, modificationTime: now, dataChange: true, stats, tags } }];
    }
    const file = before.get(path)!;
    if (readOrder(file.tags) === orders[index]) return [];
    return [{ kind: 'add', file: { ...file, dataChange: false, tags: { ...file.tags, ...tags } } }];
  });
  return [...removes, ...adds];
}
