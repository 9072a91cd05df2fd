import type { LogCommit } from '../../../formats/delta/log/actions.ts';

/** Whether to keep a version. Called for each but the newest, in order. `supersededAt`: time of the next version. */
export type Keep = (version: number, supersededAt: number) => boolean;

/**
 * The data files that a version to be kept needs: the newest, and those that `keep` selects. A file belongs to all
 * versions from the one that added it to the one before its removal, so one pass over the commits suffices.
 *
 * @param commits from version 0 to the newest, without a gap
 */
export async function findLiveFiles(
  commits: AsyncIterable<LogCommit>,
  keep: Keep,
): Promise<ReadonlySet<string>> {
  const live = new Set<string>();
  /** By path, for each file in the table after the commits so far: the version that added it. */
  const addedBy = new Map<string, number>();
  /** By version: how many earlier versions are kept. */
  const keptBefore = [0];
  for await (const { version, timestamp, actions } of commits) {
    if (version > 0) keptBefore[version] = keptBefore[version - 1]! + Number(keep(version - 1, timestamp));
    for (const action of actions) {
      if (action.kind === 'add') {
        if (!addedBy.has(action.file.path)) addedBy.set(action.file.path, version);
      } else if (action.kind === 'remove') {
        const { path } = action.file;
        const from = addedBy.get(path);
        addedBy.delete(path);
        if (from !== undefined && keptBefore[version]! > keptBefore[from]!) live.add(path);
      }
    }
  }
  for (const path of addedBy.keys()) live.add(path);
  return live;
}
