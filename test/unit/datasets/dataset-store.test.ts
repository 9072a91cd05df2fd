import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
import { DatasetStore } from '../../../shared/domains/datasets/dataset-store.ts';
import type { DatasetVersion } from '../../../shared/domains/datasets/entities.ts';
import { defaultSettings } from '../../../shared/domains/datasets/catalog/settings.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { createAuditedWriter } from '../../support/tracking/audit.ts';
import { metadataStores, pace } from '../../support/stores.ts';

const columns = [{ name: 'a', type: 'int64', nullable: true }] as const;
const version = (number: number): DatasetVersion => ({
  dataset: 'flights',
  version: number,
  operation: 'append',
  sha256: sha256(String(number)),
  rows: 3 * (number + 1),
  files: number + 1,
  sizeBytes: 10 * (number + 1),
  columnCount: 1,
  bytesAdded: 10,
  bytesReused: 10 * number,
  lineage: { runId: 'run' },
  createdAt: 1_000 + number,
});

const createStore = (documents: MetadataStore) =>
  new DatasetStore(documents, createAuditedWriter(documents), pace);

describe.each(metadataStores)('versions on $name', ({ open }) => {
  test('are listed with the newest first, and found with their columns', async () => {
    const store = createStore(await open());
    for (const number of [0, 1, 2]) await store.record(version(number), columns);
    const { items } = await store.listVersions('flights', { limit: 10 });
    expect(items).toEqual([version(2), version(1), version(0)]);
    expect(await store.getVersion('flights', 1)).toEqual({ ...version(1), columns });
    expect(await store.getDataset('flights')).toMatchObject({ latestVersion: 2, rows: 9, sizeBytes: 30 });
  });

  test('recorded again, by whomever and however late, change nothing', async () => {
    const store = createStore(await open());
    await Promise.all([0, 0, 0].map((number) => store.record(version(number), columns)));
    await store.record(version(1), columns);
    await store.record({ ...version(0), rows: 999 }, columns);
    expect((await store.getVersion('flights', 0)).rows).toBe(3);
    expect((await store.getDataset('flights')).latestVersion).toBe(1);
  });

  test('that are not there are NOT_FOUND, and so are their datasets', async () => {
    const store = createStore(await open());
    await expect(store.getDataset('flights')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.getVersion('flights', 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.deleteTag('flights', 'gold', 'ann')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.findLatestVersion('flights')).toBeUndefined();
  });

  test('a dataset can be declared before it has a version, and keeps its settings when it gets one', async () => {
    const store = createStore(await open());
    expect(await store.getSettings('flights')).toEqual(defaultSettings);
    const settings = { ...defaultSettings, mode: 'overwrite' as const };
    await store.putSettings('flights', settings, 'ann');
    expect((await store.listDatasets({ limit: 10 })).items).toMatchObject([{ name: 'flights' }]);
    await store.record(version(0), columns);
    expect(await store.getSettings('flights')).toEqual(settings);
    expect(await store.getDataset('flights')).toMatchObject({ latestVersion: 0 });
  });

  test('tags move, pins stay', async () => {
    const store = createStore(await open());
    await store.putTag('flights', { name: 'gold', version: 0, by: 'ann', at: 1 });
    await store.putTag('flights', { name: 'gold', version: 2, by: 'bob', at: 2 });
    await store.putPin('flights', { pinId: 'audit@1', version: 1, reason: 'audit', by: 'ann', at: 3 });
    expect(await store.findTag('flights', 'gold')).toMatchObject({ version: 2, by: 'bob' });
    const { tags, pins } = await store.readMarks('flights');
    expect([tags.map((tag) => tag.version), pins.map((pin) => pin.version)]).toEqual([[2], [1]]);
    await store.deletePin('flights', 'audit@1', 'ann');
    expect((await store.readMarks('flights')).pins).toEqual([]);
  });
});
