import { expect, test } from 'vitest';
import { AppError } from '../../../shared/core/errors.ts';
import { removeFile } from '../../../shared/formats/delta/log/actions.ts';
import {
  addFile,
  commitFiles,
  entryName,
  firstActions,
  openMemoryTable,
  textCheckpoints,
} from '../../support/delta/memory-table.ts';

const checkpoint = (version: number) => entryName(version, '.checkpoint.parquet');
const pointer = 't/_delta_log/_last_checkpoint';

test('writes a checkpoint every tenth version, and points to it', async () => {
  const { table, files } = openMemoryTable();
  await commitFiles(table, 32);
  const made = [...files.keys()].filter((name) => name.endsWith('.parquet'));
  expect(made).toEqual([10, 20, 30].map(checkpoint));
  expect(JSON.parse(files.get(pointer)!.bytes.toString())).toMatchObject({ version: 30, size: 33 });
});

test('uses the interval of the table', async () => {
  const { table, files } = openMemoryTable();
  const [protocol, metadata] = firstActions;
  if (protocol?.kind !== 'protocol' || metadata?.kind !== 'metaData') throw new Error('other actions');
  const configuration = { 'delta.checkpointInterval': '3' };
  await table.commit(async () => [
    protocol,
    { ...metadata, metadata: { ...metadata.metadata, configuration } },
  ]);
  await commitFiles(table, 4);
  expect(files.has(checkpoint(3))).toBe(true);
});

test('logs a failed checkpoint, and completes the commit', async () => {
  const logged: unknown[] = [];
  const { table, open } = openMemoryTable({
    logger: { log: (...entry) => logged.push(entry) },
    checkpoints: {
      ...textCheckpoints,
      write: async () => {
        throw new AppError('UNAVAILABLE', 'No disk.');
      },
    },
  });
  await commitFiles(table, 12);
  expect((await open().latest())?.version).toBe(11);
  expect(logged).toEqual([
    ['warn', 'checkpoint failed', expect.objectContaining({ version: 10, code: 'UNAVAILABLE' })],
  ]);
});

test.each([
  ['no pointer', (files: Files) => files.delete(pointer)],
  ['a broken pointer', (files: Files) => overwrite(files, pointer, '{"versi')],
  ['a pointer of another kind', (files: Files) => overwrite(files, pointer, '[]')],
  ['a pointer to nothing', (files: Files) => overwrite(files, pointer, '{"version":25}')],
  ['a pointer to the future', (files: Files) => overwrite(files, pointer, '{"version":2500}')],
  ['a pointer to several parts', (files: Files) => overwrite(files, pointer, '{"version":30,"parts":2}')],
  ['an old pointer', (files: Files) => overwrite(files, pointer, '{"version":10,"size":3}')],
  ['no newest checkpoint', (files: Files) => files.delete(checkpoint(30))],
  ['a broken checkpoint', (files: Files) => overwrite(files, checkpoint(30), 'PAR1 PAR1')],
  ['an empty checkpoint', (files: Files) => overwrite(files, checkpoint(30), '')],
  [
    'no checkpoint that can be read',
    (files: Files) => {
      for (const version of [10, 20, 30]) overwrite(files, checkpoint(version), 'x');
    },
  ],
])('%s: nothing is lost', async (_, damage) => {
  const { table, open, files } = openMemoryTable();
  await commitFiles(table, 34);
  damage(files);
  const snapshot = await open().latest();
  expect([snapshot?.version, snapshot?.files.size]).toEqual([33, 34]);
  expect((await open().at(25)).files.size).toBe(26);
  await commitFiles(open(), 8);
  expect((await open().latest())?.files.size).toBe(42);
});

test('an outage while reading a checkpoint is not a missing checkpoint', async () => {
  const { table, open } = openMemoryTable();
  await commitFiles(table, 12);
  const broken = open({
    checkpoints: {
      ...textCheckpoints,
      read: () => {
        throw new AppError('INSUFFICIENT_STORAGE', 'No disk.');
      },
    },
  });
  await expect(broken.latest()).rejects.toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
});

test('reads a log whose start another writer removed', async () => {
  const { table, open, files } = openMemoryTable();
  await commitFiles(table, 34);
  for (let version = 0; version < 20; version += 1) files.delete(entryName(version));
  files.delete(checkpoint(10));
  expect((await open().latest())?.files.size).toBe(34);
  expect((await open().at(20)).files.size).toBe(21);
  expect((await open().at(25)).files.size).toBe(26);
  await expect(open().at(19)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('has been deleted'),
  });
  const { commits, before } = await open().history({ limit: 100 });
  expect([commits.length, before]).toEqual([14, undefined]);
  expect(await open().versionAt(commits.at(-1)!.timestamp)).toBe(20);
  await expect(open().versionAt(commits.at(-1)!.timestamp - 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  files.delete(pointer);
  for (const version of [20, 30]) overwrite(files, checkpoint(version), 'x');
  await expect(open().latest()).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
});

test('reads the newest version from a checkpoint alone', async () => {
  const { table, open, files } = openMemoryTable();
  await commitFiles(table, 11);
  for (let version = 0; version <= 10; version += 1) files.delete(entryName(version));
  const reader = open();
  expect((await reader.latest())?.files.size).toBe(11);
  await commitFiles(reader, 1);
  expect((await open().latest())?.files.size).toBe(12);
});

test('forgets removed files past their retention', async () => {
  const { table, files } = openMemoryTable();
  const [protocol, metadata] = firstActions;
  if (protocol?.kind !== 'protocol' || metadata?.kind !== 'metaData') throw new Error('other actions');
  const configuration = { 'delta.deletedFileRetentionDuration': 'interval 100 seconds' };
  await table.commit(async () => [
    protocol,
    { ...metadata, metadata: { ...metadata.metadata, configuration } },
    addFile('old'),
    addFile('new'),
  ]);
  const removal = (path: string, deletionTimestamp: number) =>
    table.commit(async (snapshot) => [
      removeFile(snapshot!.files.get(path)!, { deletionTimestamp, dataChange: true }),
    ]);
  await removal('old', 1_000);
  await removal('new', 1_000_000);
  await commitFiles(table, 8);
  const text = files.get(checkpoint(10))!.bytes.toString();
  expect([...text.matchAll(/"remove":\{"path":"(\w+)"/g)].map(([, path]) => path)).toEqual(['new']);
});

type Files = ReturnType<typeof openMemoryTable>['files'];

function overwrite(files: Files, name: string, text: string): void {
  files.set(name, { bytes: Buffer.from(text), etag: 'damaged', lastModified: 1 });
}
