import type { Action, AddFile } from '../../../shared/formats/delta/log/actions.ts';
import type { CheckpointFiles } from '../../../shared/formats/delta/log/checkpoint-files.ts';
import { createTable } from '../../../shared/formats/delta/create-table.ts';
import { DeltaTable, type DeltaTableDeps } from '../../../shared/formats/delta/delta-table.ts';
import { encodeAction, parseEntry } from '../../../shared/formats/delta/log/log-entry.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { SnapshotCache } from '../../../shared/formats/delta/snapshots/snapshot-cache.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { createByteBlobs } from './byte-blobs.ts';

/** Checkpoints as text, for tests that do not need Parquet. */
export const textCheckpoints: CheckpointFiles = {
  write: async (actions) => Buffer.from([...actions].map((action) => `${encodeAction(action)}\n`).join('')),
  read: (bytes) => parseEntry(once(bytes), 'checkpoint'),
};

/** A table in memory. Its clock advances by a second per reading. */
export function openMemoryTable(deps: Partial<DeltaTableDeps> = {}) {
  const blobs = createByteBlobs();
  let now = 1_000_000;
  const clock = { now: () => (now += 1_000), sleep: async () => undefined };
  const open = (more: Partial<DeltaTableDeps> = {}) =>
    new DeltaTable(
      {
        blobs: blobs.store,
        checkpoints: textCheckpoints,
        clock,
        ids: systemIds,
        cache: new SnapshotCache(),
        logger: silentLogger,
        ...deps,
        ...more,
      },
      { container: 'c', prefix: 't' },
    );
  return { ...blobs, blobs, table: open(), open, setTime: (ms: number) => (now = ms) };
}

export const firstActions = createTable({
  id: '5d6a5c57-3c22-44d7-9c5f-09c5ab1e2b1a',
  columns: [{ name: 'id', type: 'long', nullable: true }],
  createdTime: 1,
});

export function addFile(path: string, more: Partial<AddFile> = {}): Action {
  return { kind: 'add', file: { path, size: 1, modificationTime: 1, dataChange: true, ...more } };
}

/** Creates the table if needed, and adds a file `f<version>` per version. */
export async function commitFiles(table: DeltaTable, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await table.commit(async (snapshot) => {
      const added = addFile(`f${(snapshot?.version ?? -1) + 1}`);
      return snapshot === undefined ? [...firstActions, added] : [added];
    });
  }
}

export function entryName(version: number, suffix = '.json'): string {
  return `t/_delta_log/${String(version).padStart(20, '0')}${suffix}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
