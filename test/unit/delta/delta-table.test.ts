import { describe, expect, test } from 'vitest';
import { AppError } from '../../../shared/core/errors.ts';
import { blobErrors } from '../../../shared/platform/storage/blob-errors.ts';
import { removeFile } from '../../../shared/formats/delta/log/actions.ts';
import { SnapshotCache } from '../../../shared/formats/delta/snapshots/snapshot-cache.ts';
import {
  addFile,
  commitFiles,
  entryName,
  firstActions,
  openMemoryTable,
} from '../../support/delta/memory-table.ts';

const files = async (table: ReturnType<typeof openMemoryTable>['table'], version: number) => [
  ...(await table.at(version)).files.keys(),
];
const names = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`);

describe('reading', () => {
  test('a missing table has no version', async () => {
    const { table } = openMemoryTable();
    expect(await table.latest()).toBeUndefined();
    await expect(table.at(0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(table.history({ limit: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(table.versionAt(0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await table.commit(async () => undefined)).toEqual({ version: -1, isNew: false });
  });

  test('a missing container or an outage is not a missing table', async () => {
    for (const error of [
      blobErrors.containerMissing({ subject: 'The log' }),
      new AppError('UNAVAILABLE', 'No.'),
    ]) {
      const { open, store } = openMemoryTable();
      const table = open({
        blobs: {
          ...store,
          open: async () => {
            throw error;
          },
        },
      });
      await expect(table.latest()).rejects.toBe(error);
    }
  });

  test('reads every version forwards and backwards, cached and not', async () => {
    const { table, open } = openMemoryTable();
    await commitFiles(table, 45);
    const versions = Array.from({ length: 45 }, (_, version) => version);
    for (const version of [...versions, ...versions.toReversed()])
      expect(await files(table, version), `${version}`).toEqual(names(version + 1));
    for (const version of versions)
      expect(await files(open(), version), `${version}`).toEqual(names(version + 1));
    const error: unknown = await open()
      .at(45)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('newest is 44') });
    await expect(table.at(-1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(table.at(1.5)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('rereads the newest version in two requests; after a restart the checkpoint replaces the log', async () => {
    const { table, open, calls } = openMemoryTable();
    await commitFiles(table, 33);
    calls.length = 0;
    await table.latest();
    expect(calls).toEqual([`head ${entryName(32)}`, `open ${entryName(33)}`]);
    calls.length = 0;
    expect((await open().latest())?.version).toBe(32);
    expect(calls).not.toContain(`open ${entryName(29)}`);
    expect(calls.length).toBeLessThan(10);
  });

  test('sees commits of another writer', async () => {
    const { table, open } = openMemoryTable();
    await commitFiles(table, 1);
    await commitFiles(open(), 150);
    expect((await table.latest())?.files.size).toBe(151);
  });

  test('reads a table that was deleted and created again', async () => {
    const cache = new SnapshotCache();
    const { open, files: blobs } = openMemoryTable({ cache });
    await commitFiles(open(), 5);
    blobs.clear();
    expect(await open().latest()).toBeUndefined();
    await commitFiles(open(), 5);
    blobs.clear();
    await open({ cache: new SnapshotCache() }).commit(async () => [...firstActions, addFile('other')]);
    expect(await files(open(), 0)).toEqual(['other']);
    expect((await open().latest())?.version).toBe(0);
  });

  test('bounds the cache', async () => {
    const cache = new SnapshotCache(60);
    const { open } = openMemoryTable({ cache });
    await commitFiles(open(), 30);
    const weights = Array.from({ length: 30 }, (_, version) => cache.find('c/t', version)?.snapshot.version);
    const kept = new Set(weights.filter((version) => version !== undefined));
    expect([...kept].reduce((sum, version) => sum + version + 2, 0)).toBeLessThanOrEqual(60);
    expect(kept.size).toBeGreaterThan(0);
  });
});

describe('history', () => {
  test('is listed newest first, in pages', async () => {
    const { table } = openMemoryTable();
    await commitFiles(table, 25);
    const seen: number[] = [];
    let before: number | undefined;
    do {
      const page = await table.history({ limit: 10, ...(before === undefined ? {} : { before }) });
      seen.push(...page.commits.map(({ version }) => version));
      expect(page.commits.every(({ info }) => info?.operation === 'WRITE')).toBe(true);
      before = page.before;
    } while (before !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => 24 - index));
    await expect(table.history({ limit: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('finds versions by time, which increases even when the clock is set back', async () => {
    const { table, setTime } = openMemoryTable();
    await commitFiles(table, 10);
    setTime(5);
    await commitFiles(table, 15);
    const { commits } = await table.history({ limit: 100 });
    const times = commits.toReversed().map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(times).size).toBe(25);
    for (const [version, time] of times.entries()) {
      expect(await table.versionAt(time), `${version}`).toBe(version);
      if (version > 0) expect(await table.versionAt(time - 1)).toBe(version - 1);
    }
    expect(await table.versionAt(Infinity)).toBe(24);
    await expect(table.versionAt(times[0]! - 1)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(new Date(times[0]!).toISOString()),
    });
  });

  test('reads an entry whose commitInfo is not first, or missing', async () => {
    const { table, files: blobs } = openMemoryTable();
    await commitFiles(table, 2);
    const [info, ...others] = blobs.get(entryName(1))!.bytes.toString().trimEnd().split('\n');
    const rewrite = (lines: readonly (string | undefined)[]) =>
      blobs.set(entryName(1), { ...blobs.get(entryName(1))!, bytes: Buffer.from(lines.join('\n')) });
    rewrite([...others, info]);
    expect((await table.history({ limit: 1 })).commits[0]).toMatchObject({ info: { operation: 'WRITE' } });
    rewrite(others);
    expect((await table.history({ limit: 1 })).commits[0]).toEqual({ version: 1, timestamp: 2 });
  });

  test('reads the actions of one version', async () => {
    const { table } = openMemoryTable();
    await commitFiles(table, 3);
    const { actions } = await table.readCommit(2);
    expect(actions.map(({ kind }) => kind)).toEqual(['commitInfo', 'add']);
    await expect(table.readCommit(3)).rejects.toMatchObject({
      message: expect.stringContaining('newest is 2'),
    });
  });
});

describe('committing', () => {
  test('the loser of a race decides again on the new version', async () => {
    const { table, open } = openMemoryTable();
    await commitFiles(table, 1);
    const seen: number[] = [];
    const done = await table.commit(async (snapshot) => {
      seen.push(snapshot!.version);
      if (seen.length === 1) await commitFiles(open(), 2);
      return [addFile('mine')];
    });
    expect(seen).toEqual([0, 2]);
    expect(done).toEqual({ version: 3, isNew: true });
    expect(await files(table, 3)).toEqual(['f0', 'f1', 'f2', 'mine']);
  });

  test('recognises its own commit after a lost response', async () => {
    const { table, blobs, files: stored } = openMemoryTable();
    await commitFiles(table, 1);
    let losing = true;
    blobs.onPut = () => {
      if (!losing) return undefined;
      losing = false;
      return { afterwards: new AppError('TIMEOUT', 'Too long.') };
    };
    expect(await table.commit(async () => [addFile('mine')])).toEqual({ version: 1, isNew: true });
    expect([...stored.keys()].filter((name) => name.endsWith('.json'))).toHaveLength(2);
  });

  test('retries a write that did not arrive, and fails on a lasting outage', async () => {
    const { table, blobs } = openMemoryTable();
    let faults = 2;
    blobs.onPut = () => {
      if ((faults -= 1) >= 0) throw new AppError('UNAVAILABLE', 'No.');
      return undefined;
    };
    await commitFiles(table, 1);
    expect((await table.latest())?.version).toBe(0);
    faults = 100;
    await expect(commitFiles(table, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    faults = 0;
    expect((await table.latest())?.version).toBe(0);
  });

  test('a retry recognises its own success after a lost response', async () => {
    const { table, blobs } = openMemoryTable();
    await commitFiles(table, 1);
    // As an SDK that retries: its first attempt makes the second fail.
    blobs.onPut = (name) =>
      name === entryName(1) ? { afterwards: new AppError('ALREADY_EXISTS', 'It is there.') } : undefined;
    expect(await table.commit(async () => [addFile('mine')])).toEqual({ version: 1, isNew: true });
  });

  test('writes no version without actions', async () => {
    const { table, calls } = openMemoryTable();
    await commitFiles(table, 2);
    calls.length = 0;
    expect(await table.commit(async () => undefined)).toEqual({ version: 1, isNew: false });
    expect(calls.some((call) => call.startsWith('put'))).toBe(false);
  });

  const wrong: readonly (readonly [string, string, Parameters<typeof checked>[0]])[] = [
    ['INVALID_ARGUMENT', 'more than once', () => [addFile('a'), addFile('a')]],
    [
      'INVALID_ARGUMENT',
      'more than once',
      (f0) => [addFile('f0'), removeFile(f0, { deletionTimestamp: 1, dataChange: true })],
    ],
    [
      'INVALID_ARGUMENT',
      'not in the table',
      (f0) => [removeFile({ ...f0, path: 'gone' }, { deletionTimestamp: 1, dataChange: true })],
    ],
    ['INVALID_ARGUMENT', 'never change', () => [addFile('f0', { size: 2 })]],
    ['INVALID_ARGUMENT', 'not a non-negative integer', () => [addFile('a', { size: 1.5 })]],
    ['INVALID_ARGUMENT', 'Invalid path', () => [addFile('../a')]],
    ['INVALID_ARGUMENT', 'partition', () => [addFile('a', { partitionValues: { day: '1' } })]],
    ['INVALID_ARGUMENT', 'changes the id', () => [renamed({ id: 'x' })]],
    ['UNPROCESSABLE', 'schema', () => [renamed({ schemaString: '{}' })]],
    [
      'UNPROCESSABLE',
      'writer version 7 (table features: columnMapping)',
      () => [
        {
          kind: 'protocol',
          protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['columnMapping'] },
        },
      ],
    ],
    [
      'INVALID_ARGUMENT',
      'more than one txn',
      () => [1, 2].map((version) => ({ kind: 'txn', transaction: { appId: 'a', version } })),
    ],
  ];
  const renamed = (more: object) => {
    const [, metadata] = firstActions;
    if (metadata?.kind !== 'metaData') throw new Error('no metadata');
    return { ...metadata, metadata: { ...metadata.metadata, ...more } };
  };
  const checked = async (
    decide: (f0: Parameters<typeof removeFile>[0]) => readonly ReturnType<typeof addFile>[],
  ) => {
    const { table } = openMemoryTable();
    await commitFiles(table, 1);
    return table.commit(async (snapshot) => decide(snapshot!.files.get('f0')!));
  };

  test.each(wrong)('refuses %s %s', async (code, message, decide) => {
    await expect(checked(decide)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('requires a protocol and a schema in the first version', async () => {
    const { table } = openMemoryTable();
    await expect(table.commit(async () => [addFile('a')])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('refuses to remove rows of an append-only table', async () => {
    const { table } = openMemoryTable();
    await commitFiles(table, 1);
    await table.commit(async () => [renamed({ configuration: { 'delta.appendOnly': 'true' } })]);
    const remove = (dataChange: boolean) =>
      table.commit(async (snapshot) => [
        removeFile(snapshot!.files.get('f0')!, { deletionTimestamp: 1, dataChange }),
      ]);
    await expect(remove(true)).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    await remove(false);
  });

  test('adds existing files again with new tags, and after their removal', async () => {
    const { table } = openMemoryTable();
    await commitFiles(table, 2);
    await table.commit(async () => [addFile('f0', { tags: { order: '2' }, dataChange: false })]);
    expect(await files(table, 2)).toEqual(['f1', 'f0']);
    expect((await table.at(2)).files.get('f0')?.tags).toEqual({ order: '2' });
    await table.commit(async (snapshot) => [
      removeFile(snapshot!.files.get('f1')!, { deletionTimestamp: 7, dataChange: true }),
    ]);
    expect((await table.at(3)).tombstones.get('f1')).toMatchObject({ deletionTimestamp: 7, size: 1 });
    await table.commit(async () => [addFile('f1')]);
    const { tombstones, files: live } = await table.at(4);
    expect([tombstones.size, [...live.keys()]]).toEqual([0, ['f0', 'f1']]);
  });
});
