import { join } from 'node:path';
import { writeMonth } from '../../examples/flights/data.ts';
import {
  dataset,
  declarePipeline,
  followRun,
  model,
  type ModelVersion,
  pipeline,
  type RunView,
} from '../../examples/flights/loop.ts';
import type { PlatformProcess } from '../../local/platform-process.ts';
import { patienceMs } from '../support/hang-guard.ts';
import type { Check, Scenario } from './rounds.ts';

let file = '';

interface LoopResult {
  readonly modelSha256: string;
  readonly dataSha256: string;
}

/** The demo's pipeline: one dataset version, one model version with the same bytes each round, every step done once. */
export const demoLoop: Scenario<LoopResult> = {
  name: 'demo',
  prepare: async (folder) => {
    file = join(folder, '2001-01.parquet');
    await writeMonth(1, file);
  },
  begin: async (platform) => {
    await declarePipeline(platform);
    await platform.upload('landing', `${dataset}/2001-01.parquet`, file);
  },
  hasEnded: async (platform) => {
    const { items } = await platform.call<{ items: RunView[] }>(
      'GET',
      `api/v1/runs?pipeline=${pipeline}&limit=1`,
    );
    return items[0]?.endedAt !== undefined;
  },
  finish: async (platform, check) => {
    await followRun(platform, 'ingest', { timeoutMs: patienceMs });
    const run = await followRun(platform, pipeline, { timeoutMs: patienceMs });
    return inspect(platform, run, check);
  },
  isAlike: (calm, round) => calm.modelSha256 === round.modelSha256 && calm.dataSha256 === round.dataSha256,
};

async function inspect(platform: PlatformProcess, run: RunView, check: Check): Promise<LoopResult> {
  const list = <T>(path: string) => platform.call<{ items: T[] }>('GET', path).then(({ items }) => items);
  const versions = await list<{ sha256: string }>(`api/v1/datasets/${dataset}/versions`);
  const models = await list<ModelVersion>(`api/v1/models/${model}/versions`);
  const aliases = await list<{ version: number; previousVersion: number | null }>(
    `api/v1/models/${model}/aliases`,
  );
  const runs = await list<{ runId: string; status: string }>('api/v1/runs');
  check(run.status === 'succeeded', `the run ${run.status}: ${run.error?.message}`);
  check(
    run.steps.every((step) => step.status === 'succeeded'),
    'a step did not succeed',
  );
  check(versions.length === 1, `${versions.length} dataset versions`);
  check(models.length === 1, `${models.length} model versions`);
  check(
    aliases.length === 1 && aliases[0]?.version === 1 && aliases[0].previousVersion === null,
    'production moved more than once',
  );
  check(
    runs.length === 2 && runs.every((other) => other.status === 'succeeded'),
    `runs ${JSON.stringify(runs)}`,
  );
  const rejections = await list(`api/v1/datasets/${dataset}/rejections`);
  check(rejections.length === 0, 'the file was rejected');
  const [newest] = models;
  const [data] = versions;
  if (!newest || !data) throw new Error('There is no model or no dataset version.');
  return { modelSha256: newest.sha256, dataSha256: data.sha256 };
}
