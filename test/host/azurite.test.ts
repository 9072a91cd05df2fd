import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';

import { afterEach, describe, expect, it } from 'vitest';

import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { startAzurite, type AzuriteOptions, type RunningAzurite } from '../../local/azurite.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { makeTempDir } from '../support/azurite/azurite.ts';
import { createQueueClient } from '../support/host/storage-queue.ts';

const run = promisify(execFile);
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function makeDataDir(): Promise<string> {
  const dataDir = await makeTempDir();
  cleanups.push(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function start(options: AzuriteOptions): Promise<RunningAzurite> {
  const azurite = await startAzurite(options);
  cleanups.push(() => azurite.stop());
  return azurite;
}

describe('the local blob and queue services', () => {
  it('restart on the same ports with all data', async () => {
    const dataDir = await makeDataDir();
    const first = await start({ dataDir: join(dataDir, 'made/when/missing') });
    const store = createBlobStore(
      { clock: systemClock, ids: systemIds },
      { connectionString: first.connectionString },
    );
    await store.ensureContainers(['kept']);
    const blobs = [];
    for (const name of ['a', 'b/ü', 'c']) {
      blobs.push(
        await store.put({ container: 'kept', name }, name.repeat(10), { metadata: { of: 'first' } }),
      );
    }
    await store.delete({ container: 'kept', name: 'c' });
    await store.stageBlock({ container: 'kept', name: 'staged' }, '1', Buffer.from('half '));
    const lease = await store.acquireLease({ container: 'kept', name: 'a' }, 60);
    const queue = createQueueClient(first.connectionString);
    await queue.create('webjobs-blobtrigger-poison');
    await queue.put('webjobs-blobtrigger-poison', 'poisoned');
    await first.stop();

    const { port, queuePort } = first;
    const second = await start({ dataDir: join(dataDir, 'made/when/missing'), port, queuePort });
    expect(second.connectionString).toBe(first.connectionString);
    expect((await store.list('kept', { limit: 10 })).blobs).toEqual(blobs.slice(0, 2));
    expect(await store.head({ container: 'kept', name: 'b/ü' })).toEqual(blobs[1]);
    await expect(store.put({ container: 'kept', name: 'a' }, 'x')).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await store.put({ container: 'kept', name: 'a' }, 'x', {
      leaseId: lease.id,
      ifMatch: blobs[0]?.etag ?? '',
    });
    await store.stageBlock({ container: 'kept', name: 'staged' }, '2', Buffer.from('and half'));
    expect(await store.commitBlocks({ container: 'kept', name: 'staged' }, ['1', '2'])).toMatchObject({
      sizeBytes: 13,
    });
    expect(await queue.receive('webjobs-blobtrigger-poison')).toEqual(['poisoned']);
  });

  it('listen on the loopback address only', async () => {
    const azurite = await start({ dataDir: await makeDataDir() });
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) {
      for (const port of [azurite.port, azurite.queuePort]) {
        await expect(fetch(`http://${address}:${port}/`)).rejects.toThrow('fetch failed');
      }
    }
    expect((await fetch(`${azurite.blobEndpoint}/?comp=list`)).status).toBe(403);
  });

  it('print nothing, write only their data, and do not keep the process alive', async () => {
    const dataDir = await makeDataDir();
    const script = `
      const { startAzurite } = await import(${JSON.stringify(join(import.meta.dirname, '../../local/azurite.ts'))});
      const azurite = await startAzurite({ dataDir: ${JSON.stringify(join(dataDir, 'data'))} });
      await fetch(azurite.blobEndpoint);
      await azurite.stop();`;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: dataDir,
      env: { PATH: process.env['PATH'], HOME: dataDir },
    });
    expect(stdout + stderr).toBe('');
    expect(await readdir(dataDir)).toEqual(['data']);
    expect((await readdir(join(dataDir, 'data'))).sort()).toEqual([
      'blob-extents',
      'metadata.sqlite',
      'queue-extents',
    ]);
  });

  it('name the port that is in use', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => {
      squatter.listen(0, '127.0.0.1', resolve);
    });
    cleanups.push(() => new Promise((resolve) => squatter.close(resolve)));
    const { port } = squatter.address() as AddressInfo;
    const dataDir = await makeDataDir();
    const onFailure = () => expect.fail('the start throws, and nothing else reports it');
    for (const ports of [{ port }, { queuePort: port }]) {
      await expect(startAzurite({ dataDir, onFailure, ...ports })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining(`Port ${port} `) as string,
      });
    }
    await start({ dataDir });
  });

  it('do not share their directory', async () => {
    const dataDir = await makeDataDir();
    const azurite = await start({ dataDir });
    await expect(startAzurite({ dataDir })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('Another process is using') as string,
    });
    await createBlobStore(
      { clock: systemClock, ids: systemIds },
      { connectionString: azurite.connectionString },
    ).ping();
  });

  it('report that damaged records stopped them', async () => {
    const dataDir = await makeDataDir();
    await (await start({ dataDir })).stop();
    const journal = new DatabaseSync(join(dataDir, 'metadata.sqlite'));
    journal
      .prepare('INSERT INTO document VALUES (?, ?, ?, ?)')
      .run('blob', '$BLOBS_COLLECTION$', 1, serialize({ $loki: 1, name: 'no properties', snapshot: '' }));
    journal.close();
    const failure = await new Promise((resolve) => {
      start({ dataDir, onFailure: resolve }).catch(resolve);
    });
    expect(failure).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

const canMount = await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).then(
  () => true,
  () => false,
);
const why = canMount ? '' : ' (skipped: this machine lets us mount no small disk)';

describe.skipIf(!canMount)(`a full disk${why}`, () => {
  it('is INSUFFICIENT_STORAGE, loses nothing stored, and recovers when there is space', async () => {
    const disk = await makeDataDir();
    const child = join(import.meta.dirname, '../support/azurite/full-disk-child.ts');
    const script = 'mount -t tmpfs -o size=12m none "$1" && exec "$2" "$3" "$1"';
    const { stdout } = await run('unshare', ['-rm', 'sh', '-c', script, 'sh', disk, process.execPath, child]);
    const seen = JSON.parse(stdout) as Record<string, unknown>;
    expect(seen).toMatchObject({
      failures: ['INSUFFICIENT_STORAGE'],
      records: 'INSUFFICIENT_STORAGE',
      refusedIsThere: false,
      acceptedIsThere: true,
      afterwards: 'stored',
      listed: seen['stored'],
      readable: seen['stored'],
    });
    expect(seen['stored']).toBeGreaterThan(3);
  });
});
