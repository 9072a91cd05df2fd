import { type Action, type AddFile, removeFile } from '../../../../formats/delta/log/actions.ts';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import { hashSource } from '../../entities.ts';
import { dataPath } from '../../tables/data-file.ts';
import { orderFiles, orderTag, readOrder } from '../../tables/row-order.ts';
import { planReplaced, replacedAppId } from '../../versions/replaced-rows.ts';
import type { Manifest, StagedFile } from '../staging/manifest.ts';

/**
 * The table's own transactions record what has been ingested, each with its version: by place and ETag (an event that
 * is delivered again), and by content (the same file under another name).
 */
export function sourceTransaction(manifest: Pick<Manifest, 'source'>): string {
  return `source:${hashSource(manifest.source)}`;
}

function contentTransaction({ sourceSha256 }: Pick<Manifest, 'sourceSha256'>): string {
  return `content:${sourceSha256}`;
}

/**
 * The version that this file already became. Appended again, equal bytes are the same rows twice, whatever the
 * file's name: they count once, unless all rows were replaced since.
 */
export function findKnownVersion(
  snapshot: Snapshot | undefined,
  manifest: Pick<Manifest, 'source' | 'sourceSha256' | 'mode'>,
): number | undefined {
  const told = snapshot?.transactions.get(sourceTransaction(manifest));
  if (told) return told.version;
  if (manifest.mode === 'overwrite') return undefined;
  const known = snapshot?.transactions.get(contentTransaction(manifest));
  const replaced = snapshot?.transactions.get(replacedAppId)?.version ?? -1;
  return known && known.version >= replaced ? known.version : undefined;
}

/** One that takes its place in the sequence of a version's files. */
export interface PlacedFile {
  readonly path: string;
  /** Undefined: the table has a file of that path, which stays. */
  readonly staged?: StagedFile;
}

/** Behind all that is there. A content that the table has already gets a path of its own. */
export function placeAppended(
  snapshot: Snapshot | undefined,
  files: readonly StagedFile[],
): readonly PlacedFile[] {
  const taken = new Set(snapshot?.files.keys());
  return files.map((staged) => {
    let copy = 0;
    while (taken.has(dataPath(staged.sha256, copy))) copy += 1;
    const path = dataPath(staged.sha256, copy);
    taken.add(path);
    return { path, staged };
  });
}

/** In the place of all that is there. What the table has already stays as it is. */
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

/**
 * The actions that make a sequence of files the table's content: what is new is added, what is missing is removed,
 * what is in another place is added again with its new order.
 *
 * @param sequence all files of the version to be, in order
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

/** What a commit leaves behind so that the same file is known the next time. */
export function planTransactions(
  manifest: Pick<Manifest, 'source' | 'sourceSha256' | 'mode'>,
  version: number,
  now: number,
): Action[] {
  const appIds = [sourceTransaction(manifest), contentTransaction(manifest)];
  const known = appIds.map((appId): Action => ({
    kind: 'txn',
    transaction: { appId, version, lastUpdated: now },
  }));
  return manifest.mode === 'overwrite' ? [...known, planReplaced(version, now)] : known;
}
