import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, declarePipeline, followRun, pipeline } from '../../examples/flights/loop.ts';
import { patienceMs } from '../support/hang-guard.ts';
import { startPlatform, writeFlights } from '../support/host/platform.ts';
import { createFolder } from '../support/stores.ts';

test('reports a storage outage in health, continues scoring, and loses no dropped file', async () => {
  const folder = createFolder();
  const storage = await startStorage(join(folder, 'azurite'), 0);
  const platform = await startPlatform({
    dataDir: join(folder, 'data'),
    env: { AzureWebJobsStorage: storage.connectionString },
  });
  await declarePipeline(platform);
  const file = join(folder, 'flights.parquet');
  const next = join(folder, 'next.parquet');
  await writeFlights(file, { rows: 3_000 });
  await writeFlights(next, { rows: 3_000, seed: 1 });
  await upload(storage.connectionString, 'flights/1.parquet', file);
  await followRun(platform, pipeline, { timeoutMs: patienceMs });
  const before = await ask(platform);

  await upload(storage.connectionString, 'flights/2.parquet', next);
  await kill(storage.child);
  const askHealth = async () => {
    const answer = await fetch(`${platform.url}/api/health`);
    return { status: answer.status, body: await answer.json() };
  };
  // A ping of a healthy dependency may be late once.
  await expect.poll(askHealth).toMatchObject({
    status: 503,
    body: {
      status: 'unhealthy',
      dependencies: { blobs: { status: 'down' }, metadata: { status: 'up' }, queue: { status: 'up' } },
    },
  });
  expect((await ask(platform)).predictions).toEqual(before.predictions);

  await startStorage(join(folder, 'azurite'), storage.port);
  await expect.poll(askHealth).toMatchObject({ status: 200 });
  await expect.poll(async () => (await ask(platform)).version, { interval: 200 }).toBe(2);
});

const canMount = spawnSync('unshare', ['-Urm', 'true']).status === 0;

test.skipIf(!canMount)(
  `a full disk for temporary files fails the step with that reason until there is space${canMount ? '' : ' (skipped: processes cannot mount a small disk here)'}`,
  async () => {
    const folder = createFolder();
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const file = join(folder, 'flights.parquet');
    await writeFlights(file, { rows: 50_000 });
    const platform = await startPlatform({
      dataDir: join(folder, 'data'),
      env: { TMPDIR: disk },
      wrap: ['unshare', '-Urm', 'sh', '-c', `mount -t tmpfs -o size=1m tmpfs ${disk} && exec "$@"`, 'sh'],
    });
    const inside = `/proc/${platform.pid}/root${disk}/filler`;
    writeFileSync(inside, new Uint8Array(900 * 1024));
    await platform.upload('landing', 'flights/flights.parquet', file);
    await expect
      .poll(() => firstStep(platform))
      .toMatchObject({ status: 'failed', error: { code: 'INSUFFICIENT_STORAGE', retry: true } });
    expect((await fetch(`${platform.url}/api/health`)).status).toBe(200);
    expect(existsSync(inside)).toBe(true);
    rmSync(inside);
    expect(await followRun(platform, 'ingest', { timeoutMs: patienceMs })).toMatchObject({
      status: 'succeeded',
    });
  },
);

async function firstStep(platform: Awaited<ReturnType<typeof startPlatform>>): Promise<unknown> {
  const { items } = await platform.call<{ items: { runId: string }[] }>('GET', 'api/v1/runs?pipeline=ingest');
  if (!items[0]) return undefined;
  const run = await platform.call<{ steps: unknown[] }>('GET', `api/v1/runs/${items[0].runId}`);
  return run.steps[0];
}

interface Storage {
  readonly child: ChildProcess;
  readonly connectionString: string;
  readonly port: number;
}

async function startStorage(dataDir: string, port: number): Promise<Storage> {
  const script = join(import.meta.dirname, '../support/azurite/child.ts');
  const child = spawn(process.execPath, [script, dataDir, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => kill(child));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { connectionString, port: actual } = JSON.parse(line.toString('utf8')) as Omit<Storage, 'child'>;
  return { child, connectionString, port: actual };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function upload(connectionString: string, name: string, file: string): Promise<void> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const service = BlobServiceClient.fromConnectionString(connectionString);
  await service.getContainerClient('landing').getBlockBlobClient(name).uploadFile(file);
}
