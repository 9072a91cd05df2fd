import { fork } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBlobStore } from '../../../shared/adapters/azure/blob-store.ts';
import type { DeltaTable } from '../../../shared/formats/delta/delta-table.ts';
import { openDeltaTable } from '../../support/delta/open-table.ts';
import { moveBlobPort, startTestAzurite, type TestAzurite } from '../../support/azurite/azurite.ts';
import { createMemoryBlobStore } from '../../support/blobs/memory-store.ts';
import { startFlakyProxy } from '../../support/flaky-proxy.ts';
import { system } from '../../support/stores.ts';
import { until } from '../../support/until.ts';
import { addFile, firstActions } from '../../support/delta/memory-table.ts';

const place = { container: 'datasets', prefix: 'raced' };

let azurite: TestAzurite;
beforeAll(async () => {
  azurite = await startTestAzurite();
  await createBlobStore(system, azurite).ensureContainers([place.container]);
});
afterAll(() => azurite.stop());

function open(connectionString: string, prefix = place.prefix): DeltaTable {
  const blobs = createBlobStore(system, { connectionString, retryDelayMs: 20 });
  return openDeltaTable(blobs, system, { ...place, prefix });
}

// In memory; `racing-ingestions.test.ts` has as many writers over HTTP.
test('16 writers × 5 commits give 80 versions', async () => {
  const blobs = createMemoryBlobStore();
  await blobs.ensureContainers([place.container]);
  const writers = Array.from({ length: 16 }, (_, writer) => writer);
  const versions = await Promise.all(
    writers.map(async (writer) => {
      const table = openDeltaTable(blobs, system, place);
      const made: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const { version } = await table.commit(async (snapshot) => [
          ...(snapshot === undefined ? firstActions : []),
          { kind: 'txn', transaction: { appId: `writer-${writer}`, version: round } },
          addFile(`${writer}-${round}.parquet`),
        ]);
        made.push(version);
      }
      return made;
    }),
  );
  const all = versions.flat().sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: 80 }, (_, version) => version));
  const table = openDeltaTable(blobs, system, place);
  const newest = await table.latest();
  const wanted = writers.flatMap((writer) => [0, 1, 2, 3, 4].map((round) => `${writer}-${round}.parquet`));
  expect([...newest!.files.keys()].sort()).toEqual(wanted.sort());
  expect([...newest!.transactions.values()].every(({ version }) => version === 4)).toBe(true);
  for (const [writer, made] of versions.entries()) {
    for (const [round, version] of made.entries()) {
      const { actions } = await table.readCommit(version);
      const added = actions.flatMap((action) => (action.kind === 'add' ? [action.file.path] : []));
      expect(added).toEqual([`${writer}-${round}.parquet`]);
    }
  }
  const { commits } = await table.history({ limit: 100 });
  const times = commits.map(({ timestamp }) => timestamp);
  expect(new Set(times).size).toBe(80);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
});

test('a lost response does not create a second version', async () => {
  const proxy = await startFlakyProxy(azurite.port);
  const table = open(moveBlobPort(azurite.connectionString, proxy.port), 'lost');
  await table.commit(async () => [...firstActions, addFile('0')]);
  // The client retries, and finds its own commit.
  proxy.loseAnswerTo('00000000000000000001.json', 1);
  expect(await table.commit(async () => [addFile('1')])).toEqual({ version: 1, isNew: true });
  expect((await open(azurite.connectionString, 'lost').latest())?.version).toBe(1);
  await proxy.stop();
});

test('a killed writer leaves only complete versions, and the next one continues', async () => {
  const { connectionString } = azurite;
  for (let round = 0; round < 4; round += 1) {
    const child = fork('test/support/delta/writer-child.ts', [connectionString, String(round)]);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    let commits = 0;
    child.on('message', () => (commits += 1));
    const enough = 1 + Math.floor(system.ids.random() * 4);
    await until(() => commits >= enough);
    child.kill('SIGKILL');
    await exited;
  }
  const table = open(connectionString);
  // The last request of the killed writer may arrive until then.
  const { version } = await table.commit(async () => [addFile('after')]);
  expect(version).toBeGreaterThanOrEqual(4);
  // Each commit adds one file, named by its version.
  const files = Array.from({ length: version }, (_, index) => `${index}.parquet`);
  expect([...(await table.at(version)).files.keys()]).toEqual([...files, 'after']);
});
