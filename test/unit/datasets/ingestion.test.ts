import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBlobStore } from '../../../shared/azure/blob-store.ts';
import { systemClock } from '../../../shared/core/clock.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { DatasetStore } from '../../../shared/datasets/dataset-store.ts';
import type { Source } from '../../../shared/datasets/entities.ts';
import { Ingestion } from '../../../shared/datasets/ingestion.ts';
import { createScratch } from '../../../shared/embedded/scratch-files.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import { blobContainers } from '../../../shared/names.ts';
import { PipelineService } from '../../../shared/pipelines/service.ts';
import { RunStore } from '../../../shared/pipelines/run-store.ts';
import { Triggers } from '../../../shared/pipelines/triggers.ts';
import type { BlobStore } from '../../../shared/storage/blobs.ts';
import { startTestAzurite, type TestAzurite } from '../../support/azurite.ts';
import { createDocuments, pace, RecordingEngine } from '../../support/stores.ts';
import { AppError } from '../../../shared/core/errors.ts';

let azurite: TestAzurite;
let blobs: BlobStore;
const never = new AbortController().signal;

beforeAll(async () => {
  azurite = await startTestAzurite();
  blobs = createBlobStore({ connectionString: azurite.connectionString });
  await blobs.ensureContainers(Object.values(blobContainers));
});
afterAll(() => azurite.stop());

describe('a landed file that changes before it is read whole is superseded, not failed', () => {
  test.each(['overwritten', 'deleted'] as const)('%s before the read begins', async (how) => {
    const { ingestion } = create();
    const source = await drop(`flights/${how}-early`, 'first');
    await change(source, how);
    await expect(ingestion.verify(source, never)).rejects.toMatchObject({ code: 'SUPERSEDED' });
  });

  test.each(['overwritten', 'deleted'] as const)(
    '%s between the look inside and the copy: nothing of it is kept',
    async (how) => {
      const source = await drop(`flights/${how}-late`, `first ${how}`);
      const { ingestion, store } = create({ onInspect: () => change(source, how) });
      await expect(ingestion.verify(source, never)).rejects.toMatchObject({ code: 'SUPERSEDED' });
      expect(await store.findLatestVersion('flights')).toBeUndefined();
      const { blobs: kept } = await blobs.list(blobContainers.datasets, { prefix: 'flights/', limit: 10 });
      expect(kept).toEqual([]);
    },
  );

  test('but a container that is not there stays an error: no file may be passed over for it', async () => {
    const { ingestion } = create();
    const source = { container: 'nowhere', name: 'flights/a', etag: '"0x1"', sizeBytes: 1 };
    await expect(ingestion.verify(source, never)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('a file over the limit is refused before it is downloaded', async () => {
  const opened: string[] = [];
  const watched: BlobStore = {
    ...blobs,
    open: (ref, options) => {
      opened.push(ref.name);
      return blobs.open(ref, options);
    },
  };
  const { ingestion } = create({ maxFileBytes: 4, blobs: watched });
  const refusal = { code: 'PAYLOAD_TOO_LARGE', details: { sizeBytes: 5, maxBytes: 4 } };
  const source = await drop('flights/large', '12345');
  await expect(ingestion.verify(source, never)).rejects.toMatchObject(refusal);
  await expect(ingestion.verify(source, never)).rejects.toThrow(/SLIPWAY_LANDING_FILE_BYTES/);
  expect(opened).toEqual([]);
  const small = await drop('flights/grew', '1');
  await drop('flights/grew', '12345');
  await expect(ingestion.verify(small, never)).rejects.toMatchObject({ code: 'SUPERSEDED' });
});

describe('a refusal is kept whatever the file is called', () => {
  const long = 'x'.repeat(250);
  test.each([
    ['as long as a name may be', `flights/${[long, long, long, long].join('/')}`.padEnd(1024, 'y')],
    ['with nothing but a long file', 'z'.repeat(1024)],
    ['with quotes, a line break and a backslash', 'flights/a\n"b"\\c\'.parquet'],
    ['with a segment that ends in a dot', 'flights/a./b'],
    ['with half a surrogate pair', 'flights/\ud800'],
    ['with a pair that the limit would cut', `flights/${'é🚢'.repeat(341)}`],
  ])('%s', async (_, name) => {
    const { ingestion, store } = create();
    const source = { container: 'landing', name, etag: `"${name.length}"`, sizeBytes: 1 };
    await ingestion.reject(source, new AppError('UNPROCESSABLE', 'no table'), 'run');
    const dataset = name.startsWith('flights/') ? 'flights' : '_unnamed';
    const { items } = await store.listRejections(dataset, { limit: 10 });
    expect(items).toMatchObject([{ reason: 'no table', source: { etag: source.etag } }]);
    const { blobs: reports } = await blobs.list(blobContainers.quarantine, { limit: 100 });
    expect(reports.every((report) => report.ref.name.length <= 1024)).toBe(true);
  });

  test('a blob whose name cannot be asked for is refused once, not tried for ever', async () => {
    const { store, triggers } = create();
    const ref = { container: 'landing', name: 'flights/a\nb.parquet' };
    expect(await triggers.onLanding(new RecordingEngine(), ref, silentLogger)).toBeUndefined();
    expect(await triggers.onLanding(new RecordingEngine(), ref, silentLogger)).toBeUndefined();
    const { items } = await store.listRejections('flights', { limit: 10 });
    expect(items).toMatchObject([{ code: 'INVALID_ARGUMENT', source: ref }]);
  });
});

interface Parts {
  readonly blobs: BlobStore;
  readonly maxFileBytes: number;
  readonly onInspect: (path: string) => Promise<void>;
}

function create(parts: Partial<Parts> = {}) {
  const used = parts.blobs ?? blobs;
  const documents = createDocuments();
  const store = new DatasetStore(documents, pace);
  const ingestion = new Ingestion({
    blobs: used,
    store,
    scratch: createScratch(used),
    inspect: async (path) => {
      await parts.onInspect?.(path);
      return { rows: 1, columns: [{ name: 'a', type: 'BIGINT' }] };
    },
    clock: systemClock,
    maxFileBytes: parts.maxFileBytes ?? 1_000,
  });
  const runs = new RunStore(documents, pace);
  const options = { store: runs, definitions: {}, steps: {}, codeVersion: 'test', clock: systemClock };
  const pipelines = new PipelineService(options);
  const triggers = new Triggers({ pipelines, ingestion, datasets: store, ids: systemIds });
  return { ingestion, store, triggers };
}

async function drop(name: string, content: string): Promise<Source> {
  const ref = { container: blobContainers.landing, name };
  const { etag, sizeBytes } = await blobs.put(ref, content);
  return { ...ref, etag, sizeBytes };
}

async function change(source: Source, how: 'overwritten' | 'deleted'): Promise<void> {
  const ref = { container: source.container, name: source.name };
  if (how === 'deleted') await blobs.delete(ref);
  else await blobs.put(ref, 'second');
}
