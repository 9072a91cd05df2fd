import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import { type DatasetBench, ingestWork as work, openDatasetBench } from '../../support/datasets/datasets.ts';
import { system } from '../../support/stores.ts';

/** A staged file that can no longer be committed is staged again. */
let bench: DatasetBench;
let blobs: BlobStore;

beforeAll(async () => {
  bench = await openDatasetBench();
  ({ blobs } = bench);
});
afterAll(() => bench.close());

const container = 'datasets';

test('stages a file again when its manifest is gone', async () => {
  const { datasets, drop, read } = bench;
  const staged = await datasets.ingestion.stage(await drop('lost/a.csv', 'id\n1\n'), work);
  await blobs.delete({ container, name: staged.manifest });
  expect((await datasets.ingestion.commit(staged, work)).version).toBe(0);
  expect(await read('lost', 'latest')).toEqual([['1']]);
});

test('stages a file again when its staging is old, so that no version refers to a vacuumed file', async () => {
  const { datasets, drop, ingest } = bench;
  await ingest(datasets, 'paused', 'id\n1\n');
  const staged = await datasets.ingestion.stage(await drop('paused/b.csv', 'id\n2\n'), work);
  const manifest = Buffer.concat(
    await Array.fromAsync((await blobs.open({ container, name: staged.manifest })).body),
  );
  let days = 8;
  const later = bench.openWith({
    clock: { ...system.clock, now: () => Date.now() + days * 24 * 3_600_000 },
    blobs: {
      ...blobs,
      // The storage's clock is not eight days ahead: new blobs are young.
      put: (ref, body, options) => {
        if (ref.name === staged.manifest) days = 0;
        return blobs.put(ref, body, options);
      },
    },
  });
  const { files } = await later.datasets.vacuum.run('paused', { dryRun: false, budgetMs: Infinity });
  // The data file, and the manifests of both files.
  expect(files).toBe(3);
  // Restoring the manifest shows that only its age matters.
  await blobs.put({ container, name: staged.manifest }, manifest);
  expect((await later.datasets.ingestion.commit(staged, work)).version).toBe(1);
  expect(await later.read('paused', 'latest')).toEqual([['1'], ['2']]);
});

test('a file that is also missing in the landing container is SUPERSEDED', async () => {
  const { datasets, drop } = bench;
  const source = await drop('gone/a.csv', 'id\n1\n');
  const staged = await datasets.ingestion.stage(source, work);
  await blobs.delete({ container, name: staged.manifest });
  await blobs.delete(source);
  await expect(datasets.ingestion.commit(staged, work)).rejects.toMatchObject({ code: 'SUPERSEDED' });
});

test('gives up after staging five times', async () => {
  let staged = 0;
  const { datasets } = bench.openWith({
    blobs: {
      ...blobs,
      put: async (ref, body, options) => {
        const put = await blobs.put(ref, body, options);
        if (!ref.name.includes('/_slipway/staged/')) return put;
        staged += 1;
        await blobs.delete(ref);
        return put;
      },
    },
  });
  const first = await datasets.ingestion.stage(await bench.drop('endless/a.csv', 'id\n1\n'), work);
  await expect(datasets.ingestion.commit(first, work)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect(staged).toBe(6);
});

test('reports a lost data file when equal rows are appended', async () => {
  const { datasets, ingest } = bench;
  await ingest(datasets, 'damaged', 'id\n1\n');
  const { files } = await datasets.versions.resolve('damaged', 'latest');
  await blobs.delete({ container, name: files[0]!.path });
  await expect(ingest(datasets, 'damaged', 'id\n\n1\n')).rejects.toThrow(
    /The table of "damaged" is damaged: its data file [0-9a-f]{64}\.parquet is missing/,
  );
});
