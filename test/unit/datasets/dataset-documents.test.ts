import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
import { Catalog } from '../../../shared/domains/datasets/catalog/catalog.ts';
import { DatasetDocuments } from '../../../shared/domains/datasets/catalog/dataset-documents.ts';
import { defaultSettings, Settings } from '../../../shared/domains/datasets/catalog/settings.ts';
import type { DatasetVersion } from '../../../shared/domains/datasets/entities.ts';
import { Pins } from '../../../shared/domains/datasets/versions/pins.ts';
import { Tags } from '../../../shared/domains/datasets/versions/tags.ts';
import { VersionRecords } from '../../../shared/domains/datasets/versions/version-records.ts';
import { AuditLog } from '../../../shared/platform/audit/audit-log.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { createAuditedWriter } from '../../support/tracking/audit.ts';
import { metadataStores, system } from '../../support/stores.ts';

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

function open(store: MetadataStore) {
  const { clock } = system;
  const documents = new DatasetDocuments({ store, audited: createAuditedWriter(store), ...system });
  const catalog = new Catalog({ documents, clock });
  const records = new VersionRecords(documents);
  const versions = {
    find: async (dataset: string, name: string) => (await records.get(dataset, Number(name))).version,
  };
  return {
    catalog,
    records,
    settings: new Settings({ documents, catalog }),
    tags: new Tags({ documents, records, clock }),
    pins: new Pins({ documents, versions, clock }),
    audit: new AuditLog(store),
    record: async (...numbers: number[]) => {
      for (const number of numbers) await records.record(version(number), columns);
    },
  };
}

describe.each(metadataStores)('on $name', (store) => {
  test('lists versions newest first, and finds each with its columns', async () => {
    const { catalog, records, record } = open(await store.open());
    await record(0, 1, 2);
    const { items } = await records.list('flights', { limit: 10 });
    expect(items).toEqual([version(2), version(1), version(0)]);
    expect(await records.get('flights', 1)).toEqual({ ...version(1), columns });
    expect(await catalog.get('flights')).toMatchObject({ latestVersion: 2, rows: 9, sizeBytes: 30 });
  });

  test('recording a version again changes nothing, concurrently or later', async () => {
    const { catalog, records } = open(await store.open());
    await Promise.all([0, 0, 0].map((number) => records.record(version(number), columns)));
    await records.record(version(1), columns);
    await records.record({ ...version(0), rows: 999 }, columns);
    expect((await records.get('flights', 0)).rows).toBe(3);
    expect((await catalog.get('flights')).latestVersion).toBe(1);
  });

  test('an unknown dataset, version, tag or pin is NOT_FOUND', async () => {
    const { catalog, records, tags, pins, record } = open(await store.open());
    const missing = { code: 'NOT_FOUND' };
    await expect(catalog.get('flights')).rejects.toMatchObject(missing);
    await expect(catalog.getLatestVersion('flights')).rejects.toMatchObject(missing);
    expect(await catalog.findLatestVersion('flights')).toBeUndefined();
    await expect(records.get('flights', 0)).rejects.toMatchObject(missing);
    await expect(tags.set('flights', 'gold', 0, 'ann')).rejects.toMatchObject(missing);
    await expect(tags.delete('flights', 'gold', 'ann')).rejects.toMatchObject(missing);
    const place = { name: 'audit', version: '0' };
    await expect(pins.put('flights', place, 'audit', 'ann')).rejects.toMatchObject(missing);
    await record(0);
    await expect(pins.delete('flights', place, 'ann')).rejects.toThrow(/has no pin "audit"/);
  });

  test('a dataset can be declared before its first version, and keeps its settings after it', async () => {
    const { catalog, settings, record } = open(await store.open());
    expect(await settings.get('flights')).toEqual(defaultSettings);
    const chosen = { ...defaultSettings, mode: 'overwrite' as const };
    await settings.put('flights', chosen, 'ann');
    expect((await catalog.list({ limit: 10 })).items).toMatchObject([{ name: 'flights' }]);
    await expect(catalog.getLatestVersion('flights')).rejects.toThrow(/has no version yet/);
    await record(0);
    expect(await settings.get('flights')).toEqual(chosen);
    expect(await catalog.get('flights')).toMatchObject({ latestVersion: 0 });
  });

  test('a tag moves, and a pin stays', async () => {
    const { tags, pins, record } = open(await store.open());
    await record(0, 1, 2);
    await tags.set('flights', 'gold', 0, 'ann');
    await tags.set('flights', 'gold', 2, 'bob');
    const pin = await pins.put('flights', { name: 'audit', version: '1' }, 'for the audit', 'ann');
    expect(pin).toMatchObject({ pinId: 'audit@1', version: 1, reason: 'for the audit', by: 'ann' });
    expect(await tags.find('flights', 'gold')).toMatchObject({ version: 2, by: 'bob' });
    const versionsOf = (marks: readonly { readonly version: number }[]) => marks.map((mark) => mark.version);
    expect(versionsOf(await tags.listAll('flights'))).toEqual([2]);
    expect(versionsOf(await pins.listAll('flights'))).toEqual([1]);
    await pins.delete('flights', { name: 'audit', version: '1' }, 'ann');
    expect(await pins.listAll('flights')).toEqual([]);
  });

  test('setting a tag again for the same version changes nothing', async () => {
    const { tags, record, audit } = open(await store.open());
    await record(0);
    const first = await tags.set('flights', 'gold', 0, 'ann');
    expect(await tags.set('flights', 'gold', 0, 'bob')).toEqual(first);
    const { items } = await audit.list({}, { limit: 10 });
    expect(items.filter(({ action }) => action === 'dataset.tag.set')).toHaveLength(1);
  });

  test('audits every change by a user', async () => {
    const { settings, tags, pins, record, audit } = open(await store.open());
    await settings.put('flights', defaultSettings, 'ann');
    await record(0);
    await tags.set('flights', 'gold', 0, 'ann');
    await tags.delete('flights', 'gold', 'bob');
    await pins.put('flights', { name: 'audit', version: '0' }, 'for the audit', 'ann');
    await pins.delete('flights', { name: 'audit', version: '0' }, 'bob');
    const { items } = await audit.list({}, { limit: 10 });
    expect(items.map(({ by, action }) => `${by} ${action}`).sort()).toEqual([
      'ann dataset.settings.changed',
      'ann dataset.tag.set',
      'ann dataset.version.pinned',
      'bob dataset.tag.deleted',
      'bob dataset.version.unpinned',
      'platform dataset.version.created',
    ]);
  });
});
