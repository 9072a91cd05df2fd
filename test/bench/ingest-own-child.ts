/**
 * Takes landed files in by the platform's own services, in one process: `node ingest-own-child.ts <task as JSON>`
 * prints how long that took from the blob to the commit, how long the profile, and the most memory it held.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../shared/app.ts';
import { loadConfig } from '../../shared/config.ts';
import { connect } from '../../shared/connect.ts';
import { type Measured, readPeakRssMb } from './ingest-measure.ts';

export interface IngestTask {
  readonly connectionString: string;
  /** Blobs of the landing container, one after the other. */
  readonly landed: readonly string[];
  readonly withProfile?: boolean;
}

export interface IngestTaskResult extends Measured {
  readonly rowsIn: number;
  readonly rowsQuarantined: number;
  readonly stageSeconds: number;
  /** After the last file; 0 when it was not asked for. */
  readonly profileSeconds: number;
}

const task = JSON.parse(process.argv[2] ?? '') as IngestTask;
const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-own-'));
const env = {
  SLIPWAY_METADATA_FILE: join(folder, 'metadata.db'),
  SLIPWAY_QUEUE_FILE: join(folder, 'queue.db'),
  AzureWebJobsStorage: task.connectionString,
};
const config = loadConfig(env, { version: 'bench', commit: 'bench' });
const outside = await connect(config);
const { datasets } = createApp(config, outside);
const work = {
  runId: 'bench',
  codeVersion: 'bench',
  signal: new AbortController().signal,
  report: () => undefined,
};
let result: Omit<IngestTaskResult, 'peakRssMb'> | undefined;
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
console.log(JSON.stringify({ ...result, peakRssMb: readPeakRssMb() }));
await outside.metadata.close();
await rm(folder, { recursive: true, force: true });
process.exit();
