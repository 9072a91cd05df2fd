import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { DeltaTable } from '../../../shared/formats/delta/delta-table.ts';
import { createCheckpointFiles } from '../../../shared/adapters/duckdb/checkpoint-files.ts';
import { createScratch } from '../../../shared/adapters/embedded/scratch-files.ts';
import { addFile, firstActions } from '../../unit/delta/table.ts';

/** Commits until it is killed; says when it has begun. */
const [connectionString = ''] = process.argv.slice(2);
const blobs = createBlobStore({ connectionString });
const pace = { clock: systemClock, ids: systemIds };
const checkpoints = createCheckpointFiles(createScratch(blobs));
const table = new DeltaTable({ blobs, container: 'datasets', prefix: 'raced', checkpoints, pace });
for (;;) {
  const { version } = await table.commit(async (snapshot) => [
    ...(snapshot === undefined ? firstActions : []),
    addFile(`${(snapshot?.version ?? -1) + 1}.parquet`),
  ]);
  process.send?.(version);
}
