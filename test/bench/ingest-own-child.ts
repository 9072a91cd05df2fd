/**
 * Ingests landed files with the platform's services in one process: `node ingest-own-child.ts <task as JSON>` prints
 * the time from the blob to the commit, the time of the profile, and the peak memory.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../shared/app.ts';
import { loadConfig } from '../../shared/core/config.ts';
import { connect } from '../../shared/connect.ts';
import { type Measured, readPeakRssMb } from './ingest-measure.ts';

export interface IngestTask {
  readonly connectionString: string;
  /** Blobs of the landing container, one after the other. */
  readonly landed: readonly string[];
  readonly withProfile?: boolean;
  /** Key columns of the comparison of the last two versions, which is repeated without keys. */
  readonly diffKeys?: readonly string[];
}

export interface IngestTaskResult extends Measured {
  readonly rowsIn: number;
  readonly rowsQuarantined: number;
  readonly stageSeconds: number;
  /** After the last file; 0 when not requested. */
  readonly profileSeconds: number;
  /** The first page of row differences, by key and as a multiset, of local files; 0 when not requested. */
  readonly diff: {
    readonly changedRows: number;
    readonly keyedSeconds: number;
    readonly multisetSeconds: number;
  };
}

const task = JSON.parse(process.argv[2] ?? '') as IngestTask;
const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-own-'));
const env = {
  SLIPWAY_METADATA_FILE: join(folder, 'metadata.db'),
  SLIPWAY_QUEUE_FILE: join(folder, 'queue.db'),
  AzureWebJobsStorage: task.connectionString,
};
const config = loadConfig(env, { version: 'bench', commit: 'bench' });
const platform = await connect(config);
const { datasets } = createApp(config, platform);
const work = {
  runId: 'bench',
  step: 'ingest',
  codeVersion: 'bench',
  signal: new AbortController().signal,
  report: () => undefined,
};
let result: Omit<IngestTaskResult, 'peakRssMb' | 'diff'> | undefined;
for (const [index, name] of task.landed.entries()) {
  const startedAt = performance.now();
  const source = await datasets.ingestion.identify({ container: 'landing', name });
  const staged = await datasets.ingestion.stage(source, { ...work, runId: `bench-${index}` });
  const stagedAt = performance.now();
  const { dataset, version } = await datasets.ingestion.commit(staged, work);
  const committedAt = performance.now();
  if (task.withProfile === true) await datasets.profiles.ensure(dataset, version, work);
  result = {
    rowsIn: staged.rowsIn,
    rowsQuarantined: staged.rowsQuarantined,
    stageSeconds: (stagedAt - startedAt) / 1000,
    seconds: (committedAt - startedAt) / 1000,
    profileSeconds: (performance.now() - committedAt) / 1000,
  };
}
const diff = { changedRows: 0, keyedSeconds: 0, multisetSeconds: 0 };
if (task.diffKeys !== undefined) {
  const compared = { dataset: task.landed[0]!.split('/')[0]!, to: 'latest' };
  const compare = (keys: readonly string[]) =>
    datasets.diffs.rows(compared, { keys, limit: 100 }, work.signal);
  // Downloads the files.
  await compare(task.diffKeys);
  const startedAt = performance.now();
  const { counts } = await compare(task.diffKeys);
  const keyedAt = performance.now();
  await compare([]);
  diff.changedRows = (counts?.added ?? 0) + (counts?.removed ?? 0) + (counts?.changed ?? 0);
  diff.keyedSeconds = (keyedAt - startedAt) / 1000;
  diff.multisetSeconds = (performance.now() - keyedAt) / 1000;
}
console.log(JSON.stringify({ ...result, diff, peakRssMb: readPeakRssMb() }));
await platform.metadata.close();
await rm(folder, { recursive: true, force: true });
process.exit();
