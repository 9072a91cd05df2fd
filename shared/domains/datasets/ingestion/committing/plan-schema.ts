import { sha256 } from '../../../../core/ids.ts';
import { createTable, withColumns } from '../../../../formats/delta/create-table.ts';
import type { Action } from '../../../../formats/delta/log/actions.ts';
import type { Snapshot } from '../../../../formats/delta/snapshots/snapshot.ts';
import { areSameColumns } from '../../schema/same-columns.ts';
import { configureChunkSize } from '../../tables/chunk-size.ts';
import { fromDeltaColumns, toDeltaColumns } from '../../tables/delta-columns.ts';
import type { Manifest } from '../staging/manifest.ts';
import { StaleStagingError } from './stale-staging-error.ts';

/**
 * The actions that create the table, or give it the columns of a staged file.
 *
 * @throws StaleStagingError when the table's columns changed after the file was read
 */
export function planSchema(
  snapshot: Snapshot | undefined,
  { dataset, columns, chunkSize, schemaVersion }: Manifest,
  createdTime: number,
): readonly Action[] {
  const deltaColumns = toDeltaColumns(columns);
  if (!snapshot)
    return createTable({
      id: toUuid(sha256(`slipway\n${dataset}`)),
      name: dataset,
      columns: deltaColumns,
      configuration: configureChunkSize(chunkSize),
      createdTime,
    });
  const current = fromDeltaColumns(snapshot.columns);
  if (areSameColumns(current, columns)) return [];
  // The rows were read by the columns of an earlier version. New columns may follow only if those are unchanged.
  const addsColumns = areSameColumns(current, columns.slice(0, current.length));
  if (!addsColumns || schemaVersion < 0)
    throw new StaleStagingError(`the columns of "${dataset}" changed after the file was read`);
  return [{ kind: 'metaData', metadata: withColumns(snapshot.metadata, deltaColumns) }];
}

function toUuid(hash: string): string {
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ].join('-');
}
