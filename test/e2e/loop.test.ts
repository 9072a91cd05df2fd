import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  ask,
  declarePipeline,
  followRun,
  type ModelVersion,
  newestModel,
  pipeline,
} from '../../examples/flights/loop.ts';
import { sha256 } from '../../shared/core/ids.ts';
import { readFileSync } from 'node:fs';
import { patienceMs } from '../support/hang-guard.ts';
import { startPlatform, writeFlights } from '../support/host/platform.ts';
import { createFolder } from '../support/stores.ts';

test('turns a dropped file into a scored request, and links every step of the lineage', async () => {
  const folder = createFolder();
  const file = join(folder, 'january.parquet');
  await writeFlights(file, { rows: 20_000 });
  const dataDir = join(folder, 'data');
  const platform = await startPlatform({ dataDir });
  await declarePipeline(platform);
  await platform.upload('landing', 'flights/january.parquet', file);

  const ingest = await followRun(platform, 'ingest', { timeoutMs: patienceMs });
  const training = await followRun(platform, pipeline, { timeoutMs: patienceMs });
  expect([ingest.status, training.status], JSON.stringify([ingest, training])).toEqual([
    'succeeded',
    'succeeded',
  ]);

  const version = await platform.call<{
    rows: number;
    sha256: string;
    lineage: object;
    columns: { name: string }[];
  }>('GET', 'api/v1/datasets/flights/versions/0');
  expect(version).toMatchObject({
    rows: 20_000,
    lineage: { runId: ingest.runId, sourceSha256: sha256(readFileSync(file)), rowsQuarantined: 0 },
  });
  expect(version.columns.map(({ name }) => name)).toEqual([
    'date',
    'delay',
    'distance',
    'origin',
    'destination',
  ]);

  const model = await newestModel(platform);
  expect(model.metrics['aucScore']).toBeGreaterThan(0.7);
  expect(model.lineage).toMatchObject({
    runId: training.runId,
    dataset: { name: 'flights', version: 0, sha256: version.sha256 },
  });

  // The training is a run like those of notebooks, and the version links to it.
  const { experiments } = await platform.call<{ experiments: { experiment_id: string }[] }>(
    'POST',
    'api/2.0/mlflow/experiments/search',
    { filter: `name = 'late-flights'`, max_results: 10 },
  );
  const { runs } = await platform.call<{ runs: unknown[] }>('POST', 'api/2.0/mlflow/runs/search', {
    experiment_ids: experiments.map(({ experiment_id: id }) => id),
    filter: `metrics.aucScore > 0.7 AND params."training.trainer.name" = 'logistic' AND datasets.name = 'flights'`,
  });
  expect(runs).toMatchObject([
    {
      info: { run_name: training.runId, status: 'FINISHED', run_id: model.lineage.trackingRunId },
      inputs: { dataset_inputs: [{ dataset: { digest: version.sha256.slice(0, 36) } }] },
    },
  ]);

  const score = await ask(platform);
  expect(score.version).toBe(1);
  expect(score.predictions[0]?.probability).toBeGreaterThan(0);
  expect(score.predictions[0]?.probability).toBeLessThan(1);

  // The same content again, under another name and under the same one: no new version, no new training.
  await platform.upload('landing', 'flights/copy.parquet', file);
  await platform.upload('landing', 'flights/january.parquet', file);
  await expect
    .poll(
      async () =>
        (await list(platform, 'api/v1/runs?pipeline=ingest')).filter(({ status }) => status === 'succeeded')
          .length,
    )
    .toBe(3);
  expect(await list(platform, 'api/v1/datasets/flights/versions')).toHaveLength(1);
  expect(await list(platform, `api/v1/runs?pipeline=${pipeline}`)).toHaveLength(1);

  // A restart keeps everything and fires nothing again before the next drop.
  const { predictions } = score;
  await platform.stop();
  const again = await startPlatform({ dataDir });
  await again.upload('landing', 'others/january.parquet', file);
  await expect
    .poll(async () => list(again, 'api/v1/datasets/others/versions').catch(() => []))
    .toHaveLength(1);
  expect((await ask(again)).predictions).toEqual(predictions);
  expect(await list(again, 'api/v1/runs')).toHaveLength(5);
  expect(await list(again, `api/v1/runs?pipeline=${pipeline}`)).toHaveLength(1);
});

test('gives equal model bytes for equal data and code on another platform', async () => {
  const file = join(createFolder(), 'flights.parquet');
  await writeFlights(file, { rows: 5_000 });
  const models: ModelVersion[] = [];
  for (let i = 0; i < 2; i += 1) {
    const platform = await startPlatform();
    await declarePipeline(platform);
    await platform.upload('landing', 'flights/flights.parquet', file);
    await followRun(platform, pipeline, { timeoutMs: patienceMs });
    models.push(await newestModel(platform));
    await platform.stop();
  }
  expect(models[0]?.sha256).toBe(models[1]?.sha256);
});

test('keeps the production alias when a gate fails, and reports the reason', async () => {
  const folder = createFolder();
  const file = join(folder, 'flights.parquet');
  await writeFlights(file, { rows: 5_000 });
  const platform = await startPlatform();
  await declarePipeline(platform);
  const declared = await platform.call<{ params: object }>('GET', `api/v1/pipelines/${pipeline}`);
  await platform.call('PUT', `api/v1/pipelines/${pipeline}`, {
    definition: 'train-classifier',
    on: { dataset: 'flights' },
    params: { ...declared.params, gate: { metric: 'aucScore', atLeast: 0.999 } },
  });
  await platform.upload('landing', 'flights/flights.parquet', file);
  const run = await followRun(platform, pipeline, { timeoutMs: patienceMs });
  expect(run).toMatchObject({ status: 'failed', error: { step: 'deploy' } });
  expect(run.error?.message).toMatch(/stays undeployed: aucScore is 0\.\d+, below 0\.999/);
  expect(await list(platform, 'api/v1/models/late-flights/versions')).toHaveLength(1);
  expect(await list(platform, 'api/v1/models/late-flights/aliases')).toEqual([]);
  await expect(ask(platform)).rejects.toThrow(/404.*no alias/);
});

async function list(platform: { call: <T>(method: string, path: string) => Promise<T> }, path: string) {
  return (await platform.call<{ items: { status?: string }[] }>('GET', path)).items;
}
