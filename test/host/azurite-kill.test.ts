import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, expect, it } from 'vitest';

import { systemIds } from '../../shared/core/ids.ts';
import { systemClock } from '../../shared/core/clock.ts';
import { startAzurite } from '../../local/azurite.ts';
import { createBlobStore } from '../../shared/adapters/azure/blob-store.ts';
import { makeTempDir } from '../support/azurite/azurite.ts';
import { createQueueClient } from '../support/host/storage-queue.ts';

/** A line of the child: a write that begins, or an acknowledged one. */
interface Line {
  readonly acknowledged?: true;
  readonly start?: string;
  readonly name?: string;
  readonly content?: string;
  readonly deleted?: true;
  readonly etag?: string;
  readonly sizeBytes?: number;
  readonly message?: string;
}

const child = join(import.meta.dirname, '../support/azurite/kill-child.ts');
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs the child once; kills it after `killAfterLines` lines unless it kills itself. */
async function live(
  dataDir: string,
  run: number,
  killAfter: number,
  killAfterLines = Infinity,
): Promise<Line[]> {
  const spawned = spawn(process.execPath, [child, dataDir, `run${run}`, String(killAfter)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  let output = '';
  spawned.stdout.setEncoding('utf8');
  let isKilled = false;
  spawned.stdout.on('data', (text: string) => {
    output += text;
    if (isKilled || spawned.pid === undefined || output.split('\n').length <= killAfterLines) return;
    isKilled = true;
    // The process group, as a terminal or a supervisor does.
    process.kill(-spawned.pid, 'SIGKILL');
  });
  cleanups.push(async () => void (spawned.exitCode ?? spawned.kill('SIGKILL')));
  const [, signal] = (await once(spawned, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

it('keeps every acknowledged write after SIGKILL, in one run and across many', async () => {
  const dataDir = await makeTempDir();
  cleanups.push(() => rm(dataDir, { recursive: true, force: true }));
  const lines: Line[] = [];
  // Killed in the tick of the 1st, 2nd, … acknowledgement, then at arbitrary moments.
  for (let run = 1; run <= 8; run += 1) {
    const life = await live(dataDir, run, run);
    expect(life.filter(({ acknowledged }) => acknowledged)).toHaveLength(run);
    lines.push(...life);
  }
  for (let run = 9; run <= 12; run += 1) lines.push(...(await live(dataDir, run, 0, 23 * (run - 8))));

  const azurite = await startAzurite({ dataDir });
  cleanups.push(() => azurite.stop());
  const store = createBlobStore(
    { clock: systemClock, ids: systemIds },
    { connectionString: azurite.connectionString },
  );

  for (const name of new Set(lines.flatMap((line) => line.name ?? []))) {
    const about = lines.filter((line) => line.name === name || line.start === name);
    const last = about.findLast(({ acknowledged }) => acknowledged);
    // An interrupted write may have happened or not; the next run may also have started one.
    const unknown = about.slice(about.lastIndexOf(last as Line) + 1);
    const head = await store.head({ container: 'kill', name });
    const isCertain = unknown.length === 0 && last?.content !== undefined;
    expect(isCertain ? head?.etag : last?.etag, name).toBe(last?.etag);
    const possible = [last, ...unknown].map((line) => (line?.deleted ? undefined : line?.content));
    expect(possible, name).toContain(head?.metadata['content']);
    if (head === undefined) continue;
    let text = '';
    for await (const chunk of (await store.open(head.ref)).body) text += Buffer.from(chunk).toString();
    expect(
      text === head.metadata['content']?.repeat(text.length / (head.metadata['content']?.length ?? 1)),
    ).toBe(true);
    expect(text).toHaveLength(head.sizeBytes);
  }

  const sent = lines.flatMap((line) =>
    line.acknowledged && line.message !== undefined ? [line.message] : [],
  );
  const begun = lines.flatMap((line) => line.message ?? []);
  const queue = createQueueClient(azurite.connectionString);
  const received: string[] = [];
  for (let batch = await queue.receive('poison'); batch.length > 0; batch = await queue.receive('poison')) {
    received.push(...batch);
  }
  expect(received).toEqual(expect.arrayContaining(sent));
  expect(begun).toEqual(expect.arrayContaining(received));
  expect(new Set(received).size).toBe(received.length);
  console.log(
    `${lines.filter((line) => line.acknowledged).length} acknowledged writes over 12 kills, all there`,
  );
});

it('deletes the bytes of uploads that a kill interrupted', async () => {
  const dataDir = await makeTempDir();
  cleanups.push(() => rm(dataDir, { recursive: true, force: true }));
  await live(dataDir, 1, 4);
  const extents = join(dataDir, 'blob-extents');
  const kept = await readdir(extents);
  await writeFile(join(extents, 'orphan'), 'bytes of no blob');
  const azurite = await startAzurite({ dataDir });
  await azurite.stop();
  expect((await readdir(extents)).sort()).toEqual(kept.sort());
});
