import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCheckpointFiles } from '../../../shared/adapters/duckdb/checkpoint-files.ts';
import { createScratch } from '../../../shared/adapters/embedded/scratch-files.ts';
import { addFile, entryName, openMemoryTable } from '../../support/delta/memory-table.ts';

/** A table written by delta-rs (see `generate.py` there), read from its log and from its checkpoint. */
const golden = 'test/golden/delta/delta-rs';
const expected = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as {
  readonly version: number;
  readonly columns: readonly (readonly [string, string, boolean])[];
  readonly history: readonly string[];
  readonly filesAt: readonly (readonly string[])[];
};

function openGolden() {
  const opened = openMemoryTable();
  const checkpoints = createCheckpointFiles(createScratch(opened.store));
  const folder = join(golden, '_delta_log');
  for (const name of readdirSync(folder)) {
    const file = { bytes: readFileSync(join(folder, name)), etag: name, lastModified: 1 };
    opened.files.set(`t/_delta_log/${name}`, file);
  }
  return { files: opened.files, open: () => opened.open({ checkpoints }) };
}

test('reads every version', async () => {
  const { open } = openGolden();
  for (const [version, files] of expected.filesAt.entries())
    expect([...(await open().at(version)).files.keys()].sort(), `${version}`).toEqual(files);
  const newest = (await open().latest())!;
  expect(newest.version).toBe(expected.version);
  expect(newest.columns.map(({ name, type, nullable }) => [name, type, nullable])).toEqual(expected.columns);
  const { commits } = await open().history({ limit: 100 });
  expect(commits.map(({ info }) => info?.operation)).toEqual(expected.history);
});

test('reads from its checkpoint alone', async () => {
  const { open, files } = openGolden();
  for (let version = 0; version <= 8; version += 1) files.delete(entryName(version));
  expect([...(await open().at(8)).files.keys()].sort()).toEqual(expected.filesAt[8]);
  const { metadata, files: live, tombstones } = (await open().latest())!;
  expect([...live.keys()].sort()).toEqual(expected.filesAt[expected.version]);
  expect(metadata.name).toBe('foreign');
  // The overwrite of version 4 and the deletion of version 9.
  expect(tombstones.size).toBe(5);
  expect([...live.values()].every(({ stats }) => stats?.includes('"numRecords":'))).toBe(true);
});

test('writes to it', async () => {
  const { open } = openGolden();
  expect(await open().commit(async () => [addFile('ours')])).toEqual({
    version: expected.version + 1,
    isNew: true,
  });
});
