import { BlobServiceClient } from '@azure/storage-blob';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { fixtureAppDir, makeFixtureFolder, type FixtureFolder } from '../support/host/fixture-host.ts';
import { until } from '../support/until.ts';

/** The host as `npm start` runs it, in a separate process, on the fixture app. */
const cli = join(import.meta.dirname, '../../dist/local/cli.js');

let folder: FixtureFolder;
const children = new Set<ChildProcess>();
beforeEach(async () => {
  folder = await makeFixtureFolder();
});
afterEach(async () => {
  for (const child of children) await kill(child);
  await folder.remove();
});

interface Endpoints {
  readonly url: string;
  readonly blobConnectionString: string;
  readonly pid: number;
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly storage: BlobServiceClient;
}

function spawnCli(...flags: readonly string[]): {
  readonly child: ChildProcess;
  readonly output: () => string;
} {
  const args = [cli, '--app-dir', fixtureAppDir, '--data-dir', folder.dataDir, ...flags];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...folder.settings }, stdio: 'pipe' });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

async function start(): Promise<Started & { readonly output: () => string }> {
  const { child, output } = spawnCli('--port', '0');
  const file = join(folder.dataDir, 'endpoints.json');
  const { url, blobConnectionString } = await until(() => {
    if (child.exitCode !== null) throw new Error(`The host did not start: ${output()}`);
    if (!existsSync(file)) return undefined;
    const facts = JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
    return facts.pid === child.pid && facts;
  }, output);
  return { child, output, url, storage: BlobServiceClient.fromConnectionString(blobConnectionString) };
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Rows of a table of the host's store, whether the host runs or not. */
function countRows(table: string, where: string): number {
  using db = new DatabaseSync(join(folder.dataDir, 'host.db'), { readOnly: true });
  return Number(db.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${where}`).get()?.['n']);
}

async function put(storage: BlobServiceClient, container: string, name: string, text: string): Promise<void> {
  const client = storage.getContainerClient(container);
  await client.createIfNotExists();
  await client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
}

describe('after SIGKILL', () => {
  test('trap 15: an interrupted blob is processed again, a finished one is not', async () => {
    const hold = folder.settings['FIXTURE_HOLD']!;
    const first = await start();
    await put(first.storage, 'slow', 'done', 'x');
    await folder.waitFor('slow-blob-end', 1);
    await until(() => countRows('host_blob_receipts', `blob = 'done'`) === 1);
    writeFileSync(hold, '');
    await put(first.storage, 'slow', 'half', 'x');
    await folder.waitFor('slow-blob-begin', 2);
    await kill(first.child);
    rmSync(hold);

    // Each later blob is processed after a scan that listed the earlier ones.
    const second = await start();
    await folder.waitFor('slow-blob-end', 2);
    await put(second.storage, 'slow', 'later', 'x');
    await folder.waitFor('slow-blob-end', 3);
    await until(() => countRows('host_blob_receipts', 'true') === 3);
    await kill(second.child);
    const third = await start();
    await put(third.storage, 'slow', 'last', 'x');
    await folder.waitFor('slow-blob-end', 4);
    await kill(third.child);
    const names = ['done', 'half', 'later', 'last'];
    expect(folder.recorded('slow-blob-end').map(({ blob }) => blob)).toEqual(names);
    expect(folder.recorded('slow-blob-begin').map(({ blob }) => blob)).toEqual(names.toSpliced(1, 0, 'half'));
  });

  test('no drop is lost, however often the host dies', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `set/${index}.csv`);
    let next = 0;
    for (let life = 0; life < 5; life++) {
      const { child, storage } = await start();
      for (const until = next + 8; next < until; next++)
        await put(storage, 'watched', names[next]!, String(next));
      // Immediately, or in the middle of processing.
      await folder.waitFor('blob', folder.recorded('blob').length + life);
      await kill(child);
    }
    const last = await start();
    const seen = (): ReadonlySet<unknown> => new Set(folder.recorded('blob').map(({ text }) => text));
    await until(
      () => seen().size === names.length,
      () => `${seen().size} of ${names.length} were seen`,
    );
    await kill(last.child);
    expect(seen()).toEqual(new Set(names.map((_, index) => String(index))));
  });

  test('trap 19: an interrupted message is redelivered at the start, not when its lock expires', async () => {
    const hold = folder.settings['FIXTURE_HOLD']!;
    writeFileSync(hold, '');
    const first = await start();
    const file = join(folder.dataDir, 'host.db');
    const queue = openSqliteQueue({ clock: systemClock, ids: systemIds }, { file });
    await queue.send('single', [{ id: 'held', body: { hold: true } }]);
    await queue.close();
    await folder.waitFor('single', 1);
    await kill(first.child);
    rmSync(hold);

    // The lock lasts a minute.
    await start();
    const [, again] = await folder.waitFor('single', 2);
    expect(again).toMatchObject({ metadata: { messageId: 'held', deliveryCount: 2 } });
  });

  test('trap 18: a missed timer is past due once, and its next run is stored', async () => {
    const first = await start();
    await kill(first.child);
    const file = join(folder.dataDir, 'host.db');
    const db = new DatabaseSync(file);
    const [last, next] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1, 1)];
    db.prepare('INSERT OR REPLACE INTO host_timers VALUES (?, ?, ?, ?)').run('hourly', last, next, last);
    db.close();
    const second = await start();
    const [run] = await folder.waitFor('hourly', 1);
    await until(() => countRows('host_timers', `next > ${next}`) === 1);
    await kill(second.child);
    expect(run).toMatchObject({
      timer: { isPastDue: true, scheduleStatus: { last: '2026-01-01T00:00:00+00:00' } },
    });
    // A due run starts with the host, and a stop waits for its end.
    const third = await start();
    third.child.kill('SIGINT');
    expect(await ended(third.child)).toBe(0);
    expect(folder.recorded('hourly')).toHaveLength(1);
  });
});

describe('the command line', () => {
  test('SIGINT waits for a running request, then the process exits with 0', async () => {
    const hold = folder.settings['FIXTURE_HOLD']!;
    writeFileSync(hold, '');
    const { child, url, output } = await start();
    const slow = fetch(`${url}/slow/0`);
    await folder.waitFor('slow', 1);
    child.kill('SIGINT');
    await expect.poll(output).toContain('SIGINT: waiting for running calls');
    rmSync(hold);
    expect(await (await slow).text()).toBe('late');
    expect(await ended(child)).toBe(0);
    expect(output()).toMatch(new RegExp(`GET,POST +${url}/echo\n`));
  });

  test('a second host on the same data is refused, and the first one continues', async () => {
    const { child, url } = await start();
    const other = spawnCli('--port', '0', '--clean');
    expect(await ended(other.child)).toBe(1);
    expect(other.output()).toContain(`Another host (process ${child.pid})`);
    expect((await fetch(`${url}/echo`)).status).toBe(200);
  });

  test('a port in use and an unknown flag give a one-sentence error each', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const taken = spawnCli('--port', String(port));
    expect(await ended(taken.child)).toBe(1);
    expect(taken.output()).toBe(`Port ${port} is in use. Choose another with --port.\n`);
    server.close();
    const unknown = spawnCli('--prot', '1');
    expect(await ended(unknown.child)).toBe(1);
    expect(unknown.output()).toMatch(/^Unknown option '--prot'/);
  });
});
