import { AppError } from '../../../core/errors.ts';
import type { DatasetStore } from '../dataset-store.ts';
import type { DatasetVersion } from '../entities.ts';
import { describeVersion } from '../tables/describe-version.ts';
import type { Tables } from '../tables/tables.ts';

/**
 * Brings the documents about a dataset up to its Delta log, one version after the other. Safe to be done by several
 * at once, and after a crash between a commit and this: whoever comes next does what is left.
 *
 * @param upTo a version that the log is known to have
 */
export async function catchUp(
  deps: { readonly tables: Tables; readonly store: DatasetStore },
  dataset: string,
  upTo: number,
): Promise<DatasetVersion> {
  const { tables, store } = deps;
  const table = tables.of(dataset);
  const known = (await store.findLatestVersion(dataset)) ?? -1;
  for (let version = known + 1; version <= upTo; version += 1) {
    const [snapshot, { actions }] = await Promise.all([table.at(version), table.readCommit(version)]);
    const described = describeVersion(dataset, snapshot, actions);
    await store.record(described.version, described.columns);
  }
  if (upTo < 0) throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no version yet.`, { dataset });
  return store.getVersion(dataset, upTo);
}
