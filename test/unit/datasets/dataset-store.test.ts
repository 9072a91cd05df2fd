import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
import { DatasetStore } from '../../../shared/datasets/dataset-store.ts';
import { parseLandingPath } from '../../../shared/datasets/entities.ts';
import { metadataStores, pace } from '../../support/stores.ts';

const candidate = (content: string, name = `flights/${content}.parquet`) => ({
  dataset: 'flights',
  source: { container: 'landing', name, etag: `"${sha256(content).slice(0, 8)}"`, sizeBytes: 10 },
  sha256: sha256(content),
  sizeBytes: 10,
  rows: 3,
  columns: [{ name: 'a', type: 'BIGINT' }],
  runId: 'run',
  codeVersion: 'test',
});

describe.each(metadataStores)('committing versions on $name', ({ open }) => {
  test('counts from 0, and the newest comes first', async () => {
    const store = new DatasetStore(await open(), pace);
    for (const content of ['a', 'b', 'c']) await store.commit(candidate(content));
    const { items } = await store.listVersions('flights', { limit: 10 });
    expect(items.map(({ version, sha256: hash }) => [version, hash])).toEqual([
      [2, sha256('c')],
      [1, sha256('b')],
      [0, sha256('a')],
    ]);
    expect(await store.getDataset('flights')).toMatchObject({ latestVersion: 2 });
  });

  test('the same source again gives the version it made', async () => {
    const store = new DatasetStore(await open(), pace);
    await store.commit(candidate('a'));
    await store.commit(candidate('b'));
    expect((await store.commit(candidate('a'))).version).toBe(0);
    expect((await store.getDataset('flights')).latestVersion).toBe(1);
  });

  test('the bytes that the newest version has make no new one, under whatever name they come', async () => {
    const store = new DatasetStore(await open(), pace);
    await store.commit(candidate('a'));
    expect((await store.commit(candidate('a', 'flights/copy.parquet'))).version).toBe(0);
  });

  test('racing writers lose nothing', async () => {
    const store = new DatasetStore(await open(), pace);
    const versions = await Promise.all(
      Array.from({ length: 16 }, (_, i) => store.commit(candidate(`content-${i}`))),
    );
    expect(versions.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => i),
    );
  });

  test('a version or dataset that is not there is NOT_FOUND', async () => {
    const store = new DatasetStore(await open(), pace);
    await expect(store.getDataset('flights')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.getVersion('flights', 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.findLatestVersion('flights')).toBeUndefined();
  });
});

test.each(['file.parquet', 'Flights/a.parquet', 'flights/', '/a.parquet', '../a.parquet', 'a b/c.parquet'])(
  'a landing path that names no dataset is refused: %s',
  (name) => {
    expect(() => parseLandingPath(name)).toThrow(/<dataset>\/<file>/);
  },
);

test('the file may lie in folders of its own', () => {
  expect(parseLandingPath('flights/2001/01/x.parquet')).toEqual({
    dataset: 'flights',
    file: '2001/01/x.parquet',
  });
});
