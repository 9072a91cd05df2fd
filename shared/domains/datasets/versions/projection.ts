import { AppError } from '../../../core/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { describeVersion } from '../tables/describe-version.ts';
import type { Tables } from '../tables/tables.ts';
import type { RecordedVersion, VersionRecords } from './version-records.ts';

export interface CatchUpDeps {
  readonly tables: Pick<Tables, 'of'>;
  readonly catalog: Pick<Catalog, 'findLatestVersion'>;
  readonly records: Pick<VersionRecords, 'record' | 'get'>;
}

/**
 * Records the versions of the Delta log that have no documents yet, in order. Concurrent calls are safe. After a crash
 * between a commit and its record, the next call records both.
 *
 * @param upTo a version that exists in the log; -1 when there is none
 * @throws NOT_FOUND when there is none
 */
export async function catchUp(
  { tables, catalog, records }: CatchUpDeps,
  dataset: string,
  upTo: number,
): Promise<RecordedVersion> {
  const table = tables.of(dataset);
  const known = (await catalog.findLatestVersion(dataset)) ?? -1;
  for (let version = known + 1; version <= upTo; version += 1) {
    const [snapshot, { actions }] = await Promise.all([table.at(version), table.readCommit(version)]);
    const described = describeVersion(dataset, snapshot, actions);
    await records.record(described.version, described.columns);
  }
  if (upTo < 0) throw new AppError('NOT_FOUND', `The dataset "${dataset}" has no version yet.`, { dataset });
  return records.get(dataset, upTo);
}
