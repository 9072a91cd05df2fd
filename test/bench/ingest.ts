import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { blobContainers } from '../../shared/core/names/resources.ts';
import type { BlobStore } from '../../shared/platform/storage/blobs.ts';
import { replayDeltaLog } from '../support/delta/replay-log.ts';
import { type Figure, checkGoal } from './figure.ts';
import { type BenchFiles, writeBenchFiles, writeHugeCsv } from './ingest-files.ts';
import { type Measured, median, runChild } from './ingest-measure.ts';
import type { IngestTaskResult } from './ingest-own-child.ts';

const bench = 'ingest';
const rounds = 3;
const copyChild = join(import.meta.dirname, 'ingest-copy-child.ts');
const ownChild = join(import.meta.dirname, 'ingest-own-child.ts');
const azuriteChild = join(import.meta.dirname, '../support/azurite/child.ts');

/**
 * Files to dataset versions, beside DuckDB's own COPY of the same file to zstd Parquet with its defaults. Ours is
 * measured from the landed blob to the commit, by the services that the pipeline's steps call: download, hash, strict
 * scan, typing with quarantine, Parquet with statistics, upload, manifest, commit. Blobs are in Azurite, a separate
 * process on the same machine; COPY reads and writes local files.
 */
export async function* ingestBench(): AsyncGenerator<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const azurite = spawn(process.execPath, [azuriteChild, join(folder, 'azurite')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(azurite.stdout, 'data')) as [Buffer];
    const { connectionString } = JSON.parse(line.toString('utf8')) as { connectionString: string };
    const blobs = createBlobStore({ clock: systemClock, ids: systemIds }, { connectionString });
    await blobs.ensureContainers(Object.values(blobContainers));
    const files = await writeBenchFiles(folder);
    const lane: Lane = { connectionString, blobs, folder, datasets: 0 };
    yield* benchTimes(lane, files);
    yield* benchReuse(lane, files);
    yield* benchDiff(lane, files);
    yield* benchMemory(lane);
  } finally {
    azurite.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Lane {
  readonly connectionString: string;
  readonly blobs: BlobStore;
  readonly folder: string;
  datasets: number;
}

/** Local files, one after the other, into a new dataset; the upload of the blobs is not measured. */
async function ingest(
  lane: Lane,
  files: readonly string[],
  options: {
    readonly mode?: string;
    readonly withProfile?: boolean;
    readonly diffKeys?: readonly string[];
  } = {},
): Promise<IngestTaskResult & { readonly dataset: string }> {
  const dataset = `bench${(lane.datasets += 1)}`;
  const landed: string[] = [];
  for (const file of files) {
    const name = [dataset, ...(options.mode === undefined ? [] : [options.mode]), basename(file)].join('/');
    await lane.blobs.put({ container: 'landing', name }, createReadStream(file));
    landed.push(name);
  }
  const { connectionString } = lane;
  const { withProfile, diffKeys } = options;
  const task = JSON.stringify({ connectionString, landed, withProfile, diffKeys });
  const result = await runChild<IngestTaskResult>(ownChild, [task]);
  for (const name of landed) await lane.blobs.delete({ container: 'landing', name });
  return { ...result, dataset };
}

function copy({ folder }: Lane, file: string): Promise<Measured> {
  return runChild<Measured>(copyChild, [file, join(folder, 'copy.parquet')]);
}

/** Alternating, so that other load on the machine affects all of them. */
async function* benchTimes(lane: Lane, files: BenchFiles): AsyncGenerator<Figure> {
  const seconds = new Map<string, number[]>();
  const keep = (name: string, value: number) => seconds.set(name, [...(seconds.get(name) ?? []), value]);
  for (let round = 0; round < rounds; round += 1) {
    keep('copy', (await copy(lane, files.clean)).seconds);
    const clean = await ingest(lane, [files.clean], { withProfile: true });
    keep('clean', clean.seconds);
    keep('profile', clean.seconds + clean.profileSeconds);
    const dirty = await ingest(lane, [files.dirty]);
    if (dirty.rowsQuarantined !== files.dirtyRows)
      throw new Error(`${dirty.rowsQuarantined} rows were dirty instead of ${files.dirtyRows}.`);
    keep('dirty', dirty.seconds);
    keep('copy-csv', (await copy(lane, files.flightsCsv)).seconds);
    keep('flights-csv', (await ingest(lane, [files.flightsCsv])).seconds);
    keep('copy-parquet', (await copy(lane, files.flightsParquet)).seconds);
    keep('flights-parquet', (await ingest(lane, [files.flightsParquet])).seconds);
  }
  const time = (name: string, own: string, peer: string, goal: string) =>
    checkGoal({
      bench,
      name,
      value: median(seconds.get(own) ?? []),
      unit: 's',
      peer: median(seconds.get(peer) ?? []),
      goal,
    });
  yield time('ingest-clean', 'clean', 'copy', 'ratio <= 1.5');
  yield time('ingest-dirty', 'dirty', 'copy', 'ratio <= 2.5');
  yield time('ingest-clean-with-profile', 'profile', 'copy', 'ratio <= 4');
  yield time('ingest-flights-csv', 'flights-csv', 'copy-csv', 'ratio <= 1.5');
  yield time('ingest-flights-parquet', 'flights-parquet', 'copy-parquet', 'ratio <= 2.5');
}

/** Overwrites a table of a million rows without one of them, and measures the bytes that both versions share. */
async function* benchReuse(lane: Lane, files: BenchFiles): AsyncGenerator<Figure> {
  const { dataset } = await ingest(lane, [files.clean, files.shorter], { mode: 'overwrite' });
  const [before, after] = await replayDeltaLog(lane.blobs, dataset);
  if (!before || !after) throw new Error('There are no two versions.');
  const bytes = [...after.files].map(([path, { size }]) => ({ size, isReused: before.files.has(path) }));
  const sum = (sizes: typeof bytes) => sizes.reduce((total, { size }) => total + size, 0);
  yield checkGoal({
    bench,
    name: 'reuse-after-deleting-one-row',
    value: sum(bytes.filter(({ isReused }) => isReused)) / sum(bytes),
    unit: 'of bytes',
    goal: 'value >= 0.85',
  });
}

/** The first page of the difference of two versions of a million rows: 2% of the rows, in every file. */
async function* benchDiff(lane: Lane, files: BenchFiles): AsyncGenerator<Figure> {
  const { diff } = await ingest(lane, files.compared, { mode: 'overwrite', diffKeys: ['id'] });
  if (diff.changedRows !== files.comparedRows)
    throw new Error(`${diff.changedRows} rows differ instead of ${files.comparedRows}.`);
  const time = { bench, unit: 's', goal: 'value <= 1' };
  yield checkGoal({ ...time, name: 'diff-by-key', value: diff.keyedSeconds });
  yield checkGoal({ ...time, name: 'diff-as-multiset', value: diff.multisetSeconds });
}

async function* benchMemory(lane: Lane): AsyncGenerator<Figure> {
  const file = await writeHugeCsv(lane.folder);
  const own = await ingest(lane, [file]);
  const peer = await copy(lane, file);
  const both = (key: 'peakRssMb' | 'seconds') => ({ bench, value: own[key], peer: peer[key] });
  yield checkGoal({ ...both('peakRssMb'), name: 'peak-rss-1200mb-csv', unit: 'MB', goal: 'value <= 600' });
  yield checkGoal({ ...both('seconds'), name: 'ingest-1200mb-csv', unit: 's', goal: 'ratio <= 1.5' });
}
