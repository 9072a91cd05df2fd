import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { addFile, firstActions } from './memory-table.ts';
import { openDeltaTable } from './open-table.ts';

/** Commits until it is killed; reports when it has started. */
const [connectionString = ''] = process.argv.slice(2);
const blobs = createBlobStore({ clock: systemClock, ids: systemIds }, { connectionString });
const table = openDeltaTable(
  blobs,
  { clock: systemClock, ids: systemIds },
  { container: 'datasets', prefix: 'raced' },
);
for (;;) {
  const { version } = await table.commit(async (snapshot) => [
    ...(snapshot === undefined ? firstActions : []),
    addFile(`${(snapshot?.version ?? -1) + 1}.parquet`),
  ]);
  process.send?.(version);
}
