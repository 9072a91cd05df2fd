import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import type { RunView } from '../../examples/flights/loop.ts';
import type { PlatformProcess } from '../../local/platform-process.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import type { BlobStore } from '../../shared/platform/storage/blobs.ts';
import { countDirty, type GeneratedTable, writeGeneratedCsv } from '../support/datasets/generated-table.ts';
import { findDangling, type LoggedCommit, readBlob, replayDeltaLog } from '../support/delta/replay-log.ts';
import { until } from '../support/until.ts';
import type { Check, Scenario } from './rounds.ts';

const dataset = 'orders';

/** Files of several chunks, each with distinct rows and a few dirty ones. */
const tables = [40_000, 45_000, 50_000, 55_000].map((rows, seed): GeneratedTable => {
  return { rows, seed: seed + 1, firstRow: seed * 100_000, dirtyEvery: 997 };
});
let files: readonly string[] = [];

interface IngestionResult {
  readonly rows: number;
  /** Of all values of all rows, in any order. */
  readonly checksum: string;
}

/** Text files appended concurrently: one version for each, no missing blobs, every row accounted for. */
export const ingestion: Scenario<IngestionResult> = {
  name: 'ingestion',
  prepare: async (folder) => {
    files = tables.map((_, index) => join(folder, `part-${index}.csv`));
    for (const [index, file] of files.entries()) await writeGeneratedCsv(file, tables[index]!);
  },
  begin: async (platform) => {
    for (const [index, file] of files.entries())
      await platform.upload('landing', `${dataset}/part-${index}.csv`, file);
  },
  hasEnded: async (platform) => (await listEnded(platform)).length === files.length,
  finish: async (platform, check) => {
    await until(
      async () => (await listEnded(platform)).length === files.length,
      async () => `${(await listEnded(platform)).length} of ${files.length} ingestions ended`,
    );
    return inspect(platform, check);
  },
  isAlike: (calm, round) => calm.rows === round.rows && calm.checksum === round.checksum,
};

async function listEnded(platform: PlatformProcess): Promise<readonly RunView[]> {
  const { items } = await platform.call<{ items: RunView[] }>('GET', 'api/v1/runs?pipeline=ingest&limit=50');
  return items.filter((run) => run.endedAt !== undefined);
}

async function inspect(platform: PlatformProcess, check: Check): Promise<IngestionResult> {
  const blobs = createBlobStore(
    { clock: systemClock, ids: systemIds },
    { connectionString: platform.blobConnectionString },
  );
  const runs = await listEnded(platform);
  check(runs.length === files.length, `${runs.length} runs`);
  for (const run of runs) check(run.status === 'succeeded', `a run ${run.status}: ${run.error?.message}`);
  const { items: versions } = await platform.call<{ items: { version: number; rows: number }[] }>(
    'GET',
    `api/v1/datasets/${dataset}/versions`,
  );
  const commits = await replayDeltaLog(blobs, dataset);
  check(commits.length === files.length, `${commits.length} commits`);
  check(versions.length === files.length, `${versions.length} versions`);
  const transactions = commits.flatMap((commit) => commit.transactions);
  check(new Set(transactions).size === transactions.length, 'a source was committed twice');
  let before = 0;
  for (const commit of commits) {
    for (const wrong of await findDangling(blobs, dataset, commit))
      check(false, `version ${commit.version}: ${wrong}`);
    const rows = [...commit.files.values()].reduce((sum, file) => sum + file.rows, 0);
    const { rowsIn, rowsQuarantined } = readLineage(commit);
    check(rowsIn === rows - before + rowsQuarantined, `version ${commit.version}: rows are lost`);
    check(
      versions.find(({ version }) => version === commit.version)?.rows === rows,
      `version ${commit.version}: other rows than its log says`,
    );
    const profile = await blobs.head({
      container: 'datasets',
      name: `${dataset}/_slipway/profiles/${commit.version}.json`,
    });
    check(profile !== undefined, `version ${commit.version} has no profile`);
    before = rows;
  }
  const dirty = tables.reduce((sum, table) => sum + countDirty(table), 0);
  const quarantined = commits.reduce((sum, commit) => sum + readLineage(commit).rowsQuarantined, 0);
  check(quarantined === dirty, `${quarantined} rows in quarantine instead of ${dirty}`);
  const newest = commits.at(-1);
  if (!newest) throw new Error('There is no version.');
  const total = await sumRows(blobs, newest);
  const wanted = tables.reduce((sum, { rows }) => sum + rows, 0) - dirty;
  check(
    total.rows === wanted && total.ids === wanted,
    `${total.rows} rows, ${total.ids} ids, instead of ${wanted}`,
  );
  return total;
}

function readLineage({ info }: LoggedCommit): { readonly rowsIn: number; readonly rowsQuarantined: number } {
  const found = Object.values(info).find(
    (member): member is { rowsIn: number; rowsQuarantined: number } =>
      typeof member === 'object' && member !== null && 'rowsIn' in member,
  );
  if (!found) throw new Error(`A commit has no lineage: ${JSON.stringify(info)}`);
  return found;
}

/** The content of the data files, read by DuckDB. */
async function sumRows(
  blobs: BlobStore,
  commit: LoggedCommit,
): Promise<IngestionResult & { readonly ids: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-crash-read-'));
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    for (const path of commit.files.keys())
      await writeFile(join(folder, path), await readBlob(blobs, `${dataset}/${path}`));
    const sums = await connection.runAndReadAll(
      `SELECT count(*)::DOUBLE, count(DISTINCT id)::DOUBLE, bit_xor(hash(t))::VARCHAR FROM read_parquet('${folder}/*.parquet') t`,
    );
    const [rows, ids, checksum] = sums.getRows()[0] as [number, number, string];
    return { rows, ids, checksum };
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}
