import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { Datasets } from '../../../shared/domains/datasets/datasets.ts';
import { blobContainers } from '../../../shared/core/names/resources.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import { type DatasetBench, ingestWork as work, openDatasetBench } from '../../support/datasets/datasets.ts';
import { system } from '../../support/stores.ts';

let bench: DatasetBench;
let blobs: BlobStore;
let drop: DatasetBench['drop'];
let ingest: DatasetBench['ingest'];

beforeAll(async () => {
  bench = await openDatasetBench();
  ({ blobs, drop, ingest } = bench);
});
afterAll(() => bench.close());

const csv = (...rows: string[]) => ['id,name', ...rows, ''].join('\n');

describe('versions by mode', () => {
  test('appends files in order', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'appended', csv('1,a', '2,b'));
    const { version } = await ingest(datasets, 'appended', csv('3,c'));
    expect(version).toBe(1);
    expect(await read('appended', 'latest')).toEqual([
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'c'],
    ]);
    expect(await read('appended', '0')).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ]);
  });

  test('an overwrite replaces all rows, and keeps earlier versions unchanged', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'replaced', csv('1,a'));
    await ingest(datasets, 'replaced', csv('9,z'), { mode: 'overwrite' });
    expect(await read('replaced', 'latest')).toEqual([['9', 'z']]);
    expect(await read('replaced', '0')).toEqual([['1', 'a']]);
  });

  test('a merge replaces rows by key in place, and appends the others', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'merged', csv('1,a', '2,b', '3,c'));
    const metadata = { keys: 'id' };
    await ingest(datasets, 'merged', csv('2,B', '4,d', '1,a'), { mode: 'merge', metadata });
    expect(await read('merged', 'latest')).toEqual([
      ['1', 'a'],
      ['2', 'B'],
      ['3', 'c'],
      ['4', 'd'],
    ]);
  });

  test('a merge that changes nothing creates no version', async () => {
    const { datasets } = bench;
    await ingest(datasets, 'unmerged', csv('1,a', '2,b'));
    const { version } = await ingest(datasets, 'unmerged', csv('2,b'), {
      mode: 'merge',
      metadata: { keys: 'id' },
    });
    expect(version).toBe(0);
  });

  test('a merge keeps the first row of a duplicate key, and quarantines the others', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'doubled', csv('1,a'));
    await datasets.settings.put(
      'doubled',
      {
        ...(await datasets.settings.get('doubled')),
        maxBadFraction: 1,
      },
      'ann',
    );
    await ingest(datasets, 'doubled', csv('2,first', '2,second', ',unnamed'), {
      mode: 'merge',
      metadata: { keys: 'id' },
    });
    expect(await read('doubled', 'latest')).toEqual([
      ['1', 'a'],
      ['2', 'first'],
    ]);
    const { items } = await datasets.quarantine.list('doubled', { limit: 10 });
    const rows = await datasets.quarantine.listRows('doubled', items[0]!.quarantineId, { limit: 10 });
    const found = rows.items.toSorted((a, b) => a.row - b.row);
    expect(found.map(({ row, code, column }) => [row, code, column])).toEqual([
      [2, 'DUPLICATE', 'id'],
      [3, 'MISSING_VALUE', 'id'],
    ]);
  });
});

describe('the same file', () => {
  test('creates no version when announced again, or under another name or compression with equal bytes', async () => {
    const { datasets } = bench;
    const source = await drop('twice/a.csv', csv('1,a'));
    const staged = await datasets.ingestion.stage(source, work);
    expect((await datasets.ingestion.commit(staged, work)).version).toBe(0);
    expect((await datasets.ingestion.commit(staged, work)).version).toBe(0);
    expect((await ingest(datasets, 'twice', csv('1,a'), { file: 'copy.csv' })).version).toBe(0);
    expect((await ingest(datasets, 'twice', csv('1,a'), { mode: 'overwrite' })).version).toBe(0);
  });

  test('can be appended again after an overwrite', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'again', csv('1,a'));
    await ingest(datasets, 'again', csv('2,b'), { mode: 'overwrite' });
    expect((await ingest(datasets, 'again', csv('1,a'))).version).toBe(2);
    expect(await read('again', 'latest')).toEqual([
      ['2', 'b'],
      ['1', 'a'],
    ]);
  });

  test('equal rows of different files are kept apart', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'shared', csv('1,a'));
    await ingest(datasets, 'shared', csv('1,a', ''), { file: 'blank.csv' });
    expect(await read('shared', 'latest')).toEqual([
      ['1', 'a'],
      ['1', 'a'],
    ]);
  });
});

describe('the contract', () => {
  test('new columns are null in older rows, and missing ones in newer rows', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'grown', 'id,name\n1,a\n');
    await ingest(datasets, 'grown', 'id,extra\n2,7\n');
    expect(await read('grown', 'latest')).toEqual([
      ['1', 'a', null],
      ['2', null, '7'],
    ]);
    expect(await read('grown', '0')).toEqual([['1', 'a']]);
  });

  test('a file that breaks it leaves the table unchanged', async () => {
    const { datasets } = bench;
    await ingest(datasets, 'kept', csv('1,a'));
    await expect(ingest(datasets, 'kept', 'ID,name\n2,b\n')).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    await expect(ingest(datasets, 'kept', csv('x,b'))).rejects.toThrow(/1 of 1 rows/);
    expect(await datasets.catalog.findLatestVersion('kept')).toBe(0);
  });
});

describe('quarantine', () => {
  test('lists bad rows with their position, and ingests them once corrected', async () => {
    const { datasets, read } = bench;
    await datasets.settings.put(
      'mended',
      {
        ...(await datasets.settings.get('mended')),
        maxBadFraction: 0.5,
        columns: [{ name: 'id', type: 'int64' }],
      },
      'ann',
    );
    await ingest(datasets, 'mended', csv('1,a', 'two,b', '3,c'));
    const [entry] = (await datasets.quarantine.list('mended', { limit: 10 })).items;
    expect(entry).toMatchObject({ rows: 1, codes: { WRONG_TYPE: 1 } });
    const { items } = await datasets.quarantine.listRows('mended', entry!.quarantineId, { limit: 10 });
    expect(items).toMatchObject([{ row: 2, byteOffset: 12, byteLength: 5, column: 'id', raw: 'two,b' }]);
    const ref = await datasets.quarantine.resubmit(
      'mended',
      entry!.quarantineId,
      [{ id: 2, name: 'b' }],
      'ann',
    );
    const source = await datasets.ingestion.identify(ref);
    await datasets.ingestion.commit(await datasets.ingestion.stage(source, work), work);
    expect(await read('mended', 'latest')).toEqual([
      ['1', 'a'],
      ['3', 'c'],
      ['2', 'b'],
    ]);
    const [resubmitted] = (await datasets.quarantine.list('mended', { limit: 10 })).items;
    expect(resubmitted?.resubmissions).toMatchObject([{ by: 'ann', name: ref.name }]);
  });
});

describe('restore and vacuum', () => {
  test('restores an earlier version as a new one', async () => {
    const { datasets, read } = bench;
    await ingest(datasets, 'restored', csv('1,a'));
    await ingest(datasets, 'restored', csv('2,b'), { mode: 'overwrite' });
    const { version } = await datasets.restore('restored', '0', 'ann');
    expect(version).toBe(2);
    expect(await read('restored', 'latest')).toEqual([['1', 'a']]);
    expect(await datasets.view('restored', '2')).toMatchObject({
      operation: 'restore',
      lineage: { by: 'ann' },
    });
    expect((await datasets.restore('restored', '0', 'ann')).version).toBe(2);
  });

  test('vacuums only unreferenced files, as the dry run reports', async () => {
    const later = openLater(60);
    const { datasets } = bench;
    for (const [index, row] of ['1,a', '2,b', '3,c', '4,d'].entries())
      await ingest(datasets, 'vacuumed', csv(row), { mode: index === 0 ? 'append' : 'overwrite' });
    await datasets.tags.set('vacuumed', 'gold', 0, 'ann');
    await datasets.pins.put('vacuumed', { name: 'p', version: '1' }, 'audit', 'ann');
    const budgetMs = Infinity;
    const dry = await later.vacuum.run('vacuumed', { dryRun: true, budgetMs });
    expect(dry).toMatchObject({ lost: [2], kept: [{ version: 1 }, { version: 0 }] });
    expect(dry.removed.filter((path) => path.endsWith('.parquet'))).toHaveLength(1);
    expect(await bench.read('vacuumed', '2')).toEqual([['3', 'c']]);
    const wet = await later.vacuum.run('vacuumed', { dryRun: false, budgetMs });
    expect(wet.removed).toEqual(dry.removed);
    expect(await bench.openWith().read('vacuumed', 'gold')).toEqual([['1', 'a']]);
    expect(await bench.openWith().read('vacuumed', '1')).toEqual([['2', 'b']]);
    await expect(bench.openWith().read('vacuumed', '2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(datasets.restore('vacuumed', '2', 'ann')).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    expect((await later.vacuum.run('vacuumed', { dryRun: false, budgetMs })).files).toBe(0);
  });

  test('a file restored during a vacuum is kept', async () => {
    const { datasets } = bench;
    for (const row of ['1,a', '2,b', '3,c']) await ingest(datasets, 'held', csv(row), { mode: 'overwrite' });
    let isRestored = false;
    // The restore runs after the vacuum has listed live and stored files.
    const slow: BlobStore = {
      ...bench.blobs,
      list: async (container, options) => {
        const page = await bench.blobs.list(container, options);
        if (options.prefix === 'held/' && !isRestored) {
          isRestored = true;
          await datasets.restore('held', '0', 'ann');
        }
        return page;
      },
    };
    const clock = { ...system.clock, now: () => Date.now() + 60 * 24 * 3_600_000 };
    const later = bench.openWith({ clock, blobs: slow }).datasets;
    const { removed } = await later.vacuum.run('held', { dryRun: false, budgetMs: Infinity });
    expect(isRestored).toBe(true);
    expect(removed.filter((path) => path.endsWith('.parquet'))).toHaveLength(1);
    expect(await bench.openWith().read('held', 'latest')).toEqual([['1', 'a']]);
  });
});

test('logs a failed checkpoint, and completes the ingestion', async () => {
  const logged: unknown[] = [];
  const { datasets } = bench.openWith({
    logger: { log: (...entry) => logged.push(entry) },
    blobs: {
      ...blobs,
      put: (ref, body, options) =>
        ref.name.endsWith('.checkpoint.parquet')
          ? Promise.reject(new AppError('UNAVAILABLE', 'No storage.'))
          : blobs.put(ref, body, options),
    },
  });
  for (let row = 0; row <= 10; row += 1) await ingest(datasets, 'unchecked', csv(`${row},a`));
  expect(await datasets.catalog.getLatestVersion('unchecked')).toBe(10);
  expect(logged).toEqual([
    [
      'warn',
      'checkpoint failed',
      { table: 'datasets/unchecked', version: 10, code: 'UNAVAILABLE', reason: 'No storage.' },
    ],
  ]);
});

test('racing first files of a dataset all become versions, whatever types each infers', async () => {
  const { datasets, read } = bench;
  const rows = ['1,a', '2.5,b', '3,c', '4.25,d', '5,e', '6,f'];
  await datasets.settings.put(
    'raced',
    {
      ...(await datasets.settings.get('raced')),
      columns: [{ name: 'id', type: 'decimal(10,2)' }],
    },
    'ann',
  );
  const refs = await Promise.all(rows.map((row) => ingest(datasets, 'raced', csv(row))));
  expect(refs.map(({ version }) => version).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(
    (await read('raced', 'latest')).map(([, name]) => String(name)).sort((a, b) => (a < b ? -1 : 1)),
  ).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

describe('a landed file that changes while it is read is superseded, not failed', () => {
  test.each(['overwritten', 'deleted'] as const)('%s before the read starts', async (how) => {
    const source = await drop(`changing/${how}.csv`, csv('1,a'));
    if (how === 'overwritten') await drop(source.name, csv('2,b'));
    else await blobs.delete(source);
    await expect(bench.datasets.ingestion.stage(source, work)).rejects.toMatchObject({ code: 'SUPERSEDED' });
  });

  test('a missing container is an error, so no file is skipped', async () => {
    const source = { container: 'nowhere', name: 'changing/a.csv', etag: '"0x1"', sizeBytes: 1 };
    await expect(bench.datasets.ingestion.stage(source, work)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('refuses a file over the limit before opening it', async () => {
  const opened: string[] = [];
  const watched: BlobStore = {
    ...blobs,
    open: (ref, options) => {
      opened.push(ref.name);
      return blobs.open(ref, options);
    },
  };
  const { datasets } = bench.openWith({ maxFileBytes: 4, blobs: watched });
  const source = await drop('large/a.csv', '12345');
  const refusal = { code: 'PAYLOAD_TOO_LARGE', details: { sizeBytes: 5, maxBytes: 4 } };
  await expect(datasets.ingestion.stage(source, work)).rejects.toMatchObject(refusal);
  await expect(datasets.ingestion.stage(source, work)).rejects.toThrow(/SLIPWAY_LANDING_FILE_BYTES/);
  expect(opened).toEqual([]);
});

test('reads compressed files by their content', async () => {
  const source = await drop('zipped/a.csv.gz', gzipSync(csv('1,a')));
  const { datasets, read } = bench;
  await datasets.ingestion.commit(await datasets.ingestion.stage(source, work), work);
  expect(await read('zipped', 'latest')).toEqual([['1', 'a']]);
});

function openLater(days: number): Datasets {
  const clock = { ...system.clock, now: () => Date.now() + days * 24 * 3_600_000 };
  return bench.openWith({ clock }).datasets;
}

describe('a rejection is recorded for any file name', () => {
  const long = 'x'.repeat(250);
  test.each([
    ['as long as a name may be', `flights/${[long, long, long, long].join('/')}`.padEnd(1024, 'y')],
    ['with nothing but a long file', 'z'.repeat(1024)],
    ['with quotes, a line break and a backslash', 'flights/a\n"b"\\c\'.parquet'],
    ['with a segment that ends in a dot', 'flights/a./b'],
    ['with half a surrogate pair', 'flights/\ud800'],
    ['with a pair that the limit would cut', `flights/${'é🚢'.repeat(341)}`],
  ])('%s', async (_, name) => {
    const { ingestion, rejections } = bench.datasets;
    const source = { container: 'landing', name, etag: `"${name.length}"`, sizeBytes: 1 };
    await ingestion.reject(source, new AppError('UNPROCESSABLE', 'no table'), 'run');
    const dataset = name.startsWith('flights/') ? 'flights' : '_unnamed';
    const { items } = await rejections.list(dataset, { limit: 10 });
    expect(items).toContainEqual(
      expect.objectContaining({ reason: 'no table', source: expect.objectContaining({ etag: source.etag }) }),
    );
    const { blobs: reports } = await blobs.list(blobContainers.quarantine, { limit: 100 });
    expect(reports.every((report) => report.ref.name.length <= 1024)).toBe(true);
  });

  test('a blob with an unreadable name is rejected once, not retried forever', async () => {
    const { datasets } = bench;
    const ref = { container: 'landing', name: 'unasked/a\nb.parquet' };
    for (let times = 0; times < 2; times += 1)
      expect(await datasets.landing.onLanding(ref, silentLogger)).toBeUndefined();
    const { items } = await datasets.rejections.list('unasked', { limit: 10 });
    expect(items).toMatchObject([{ code: 'INVALID_ARGUMENT', source: ref }]);
  });
});
