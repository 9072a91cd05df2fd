import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { writeMonth } from '../examples/flights/data.ts';
import {
  dataset,
  declarePipeline,
  followRun,
  model,
  newestModel,
  pipeline,
  question,
  type Score,
} from '../examples/flights/loop.ts';
import { PlatformProcess } from '../local/platform-process.ts';
import { writeSampleTables } from '../test/clients/delta/write-tables.ts';
import { prepareEnvironment, whyNoPython } from './python-environment.ts';

/**
 * Runs third-party clients against a running platform, each in its own virtual environment with pinned requirements:
 * all of them, or those named. Without Python it skips them and says so.
 */
const root = join(import.meta.dirname, '..');
const clientsDir = join(root, 'test/clients');

interface Stage {
  readonly platform: PlatformProcess;
  readonly folder: string;
}

/** The arguments of each client's `run.py`. A new client is a folder and a line here. */
const clients: Record<string, (stage: Stage) => Promise<readonly (readonly string[])[]>> = {
  onnx: async (stage) => {
    const golden = join(root, 'test/golden/onnx');
    return [
      [join(golden, 'logistic.onnx'), join(golden, 'logistic.cases.json')],
      await exportLiveModel(stage),
    ];
  },
  openapi: async ({ platform }) => [[platform.url]],
  landing: async ({ platform }) => [[platform.url, platform.blobConnectionString]],
  delta: async ({ platform, folder }) => [
    [await writeSampleTables(platform.blobConnectionString, folder), platform.blobConnectionString],
  ],
  mlflow3: async ({ platform }) => [[platform.url]],
  mlflow2: async ({ platform }) => [[platform.url]],
};

const requested = process.argv.slice(2);
const unknown = requested.filter((name) => !Object.hasOwn(clients, name));
if (unknown.length > 0) throw new Error(`Unknown clients: ${unknown.join(', ')}`);
const names = requested.length > 0 ? requested : Object.keys(clients);

const reason = whyNoPython();
if (reason) {
  console.log(`Skipping the Python clients: ${reason}`);
  console.log(`0 passed, 0 failed, ${names.length} skipped`);
} else {
  process.exitCode = (await runClients()) ? 0 : 1;
}

async function runClients(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-clients-'));
  let platform: PlatformProcess | undefined;
  let ok = true;
  try {
    const pythons = names.map((name) => [name, prepareEnvironment(`test/clients/${name}`)] as const);
    platform = await PlatformProcess.start({ port: 0, dataDir: join(folder, 'data') });
    await runLoop({ platform, folder });
    for (const [name, python] of pythons) {
      for (const args of (await clients[name]?.({ platform, folder })) ?? []) {
        console.log(`\n${name}:`);
        // Not spawnSync, which would block the event loop while the platform closes connections.
        const client = spawn(python, [join(clientsDir, name, 'run.py'), ...args], { stdio: 'inherit' });
        const [status] = (await once(client, 'exit')) as [number | null];
        ok &&= status === 0;
      }
    }
  } finally {
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return ok;
}

async function runLoop({ platform, folder }: Stage): Promise<void> {
  const file = join(folder, '2001-01.parquet');
  await writeMonth(1, file);
  await declarePipeline(platform);
  await platform.upload('landing', `${dataset}/2001-01.parquet`, file);
  const run = await followRun(platform, pipeline, { timeoutMs: 120_000 });
  if (run.status !== 'succeeded') throw new Error(`The loop failed: ${run.error?.message}`);
}

/** Exports the model in production and its scores, which the other implementation must reproduce. */
async function exportLiveModel({ platform, folder }: Stage): Promise<readonly [string, string]> {
  const { sha256 } = await newestModel(platform);
  const service = BlobServiceClient.fromConnectionString(platform.blobConnectionString);
  const modelFile = join(folder, 'model.onnx');
  await service
    .getContainerClient('models')
    .getBlobClient(`${model}/${sha256}.onnx`)
    .downloadToFile(modelFile);
  const rows = [
    question,
    { ...question, origin: 'LGA', distance: null },
    { ...question, date: '2001-01-01', destination: 'nowhere' },
  ];
  const { predictions } = await platform.call<Score>('POST', `api/v1/models/${model}/score`, { rows });
  const casesFile = join(folder, 'cases.json');
  writeFileSync(
    casesFile,
    JSON.stringify({ rows, probabilities: predictions.map(({ probability }) => probability) }),
  );
  return [modelFile, casesFile];
}
