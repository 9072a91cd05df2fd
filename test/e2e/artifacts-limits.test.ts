import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startTestAzurite } from '../support/azurite/azurite.ts';
import { canReadPeakMemory, readPeakMemoryMb, resetPeakMemory } from '../support/host/peak-memory.ts';
import { startPlatform } from '../support/host/platform.ts';
import { createFolder } from '../support/stores.ts';

test.skipIf(!canReadPeakMemory)(
  `512 MB uploads, downloads and multipart uploads add less than 64 MB of memory${canReadPeakMemory ? '' : ' (skipped: needs /proc)'}`,
  async () => {
    // The process of the platform alone; storage is a separate process, as in Azure.
    const azurite = await startTestAzurite();
    onTestFinished(() => azurite.stop());
    const platform = await startPlatform({ env: { AzureWebJobsStorage: azurite.connectionString } });
    const url = `${platform.url}/api/2.0/mlflow-artifacts/artifacts/large.bin`;
    const sizeBytes = 512 * 2 ** 20;
    await upload(url, 1_000);
    expect(await countBytes(url)).toBe(1_000);

    resetPeakMemory(platform.pid);
    const startMb = readPeakMemoryMb(platform.pid);
    const growthMb = () => Math.round(readPeakMemoryMb(platform.pid) - startMb);
    expect(await upload(url, sizeBytes)).toBe(200);
    const upMb = growthMb();
    resetPeakMemory(platform.pid);
    expect(await countBytes(url)).toBe(sizeBytes);
    const downMb = growthMb();
    console.log(`512 MB: memory grew by ${upMb} MB up, ${downMb} MB down`);
    expect(upMb).toBeLessThan(64);
    expect(downMb).toBeLessThan(64);
  },
);

test('answers 503 during a storage outage, and serves the same files afterwards', async () => {
  const azurite = await startTestAzurite();
  const platform = await startPlatform({ env: { AzureWebJobsStorage: azurite.connectionString } });
  const url = `${platform.url}/api/2.0/mlflow-artifacts/artifacts`;
  expect(await upload(`${url}/a.bin`, 1_000)).toBe(200);
  await azurite.stop();
  const requests = [
    fetch(`${url}/a.bin`),
    fetch(`${url}?path=`),
    fetch(`${url}/a.bin`, { method: 'PUT', body: 'x' }),
    fetch(`${url}/a.bin`, { method: 'DELETE' }),
    fetch(url.replace(/artifacts$/, 'presigned/a.bin')),
  ];
  for (const answer of await Promise.all(requests)) {
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE' });
  }
});

const canMount = spawnSync('unshare', ['-Urm', 'true']).status === 0;

test.skipIf(!canMount)(
  `answers 507 on a full disk, and stores nothing partial${canMount ? '' : ' (skipped: processes cannot mount a small disk here)'}`,
  async () => {
    const dataDir = join(createFolder(), 'data');
    const disk = join(dataDir, 'azurite');
    mkdirSync(disk, { recursive: true });
    const platform = await startPlatform({
      dataDir,
      wrap: ['unshare', '-Urm', 'sh', '-c', `mount -t tmpfs -o size=32m tmpfs ${disk} && exec "$@"`, 'sh'],
    });
    const url = `${platform.url}/api/2.0/mlflow-artifacts/artifacts`;
    expect(await upload(`${url}/small.bin`, 1_000)).toBe(200);
    const answer = await fetch(`${url}/large.bin`, { method: 'PUT', body: Buffer.alloc(60_000_000) });
    expect([answer.status, await answer.json()]).toMatchObject([507, { error_code: 'RESOURCE_EXHAUSTED' }]);
    expect((await fetch(`${url}/large.bin`)).status).toBe(404);
    expect(await countBytes(`${url}/small.bin`)).toBe(1_000);
  },
);

/** @returns the status */
async function upload(url: string, sizeBytes: number): Promise<number> {
  const chunk = Buffer.alloc(256 * 1024, 7);
  const sending = request(url, { method: 'PUT', headers: { 'content-length': sizeBytes } });
  const answered = new Promise<number>((resolve, reject) => {
    sending.once('error', reject);
    sending.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode!));
    });
  });
  const body = function* () {
    for (let left = sizeBytes; left > 0; left -= chunk.length) yield chunk.subarray(0, left);
  };
  await pipeline(Readable.from(body(), { objectMode: false }), sending);
  return answered;
}

async function countBytes(url: string): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of (await fetch(url)).body!) sizeBytes += chunk.length;
  return sizeBytes;
}
