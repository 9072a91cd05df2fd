import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../shared/core/clock.ts';
import { systemIds } from '../../shared/core/ids.ts';
import { openSqliteQueue } from '../../shared/adapters/embedded/sqlite-queue.ts';
import { until } from '../support/until.ts';

const worker = join(import.meta.dirname, '../support/queue/crash-worker.ts');
const kills = 24;

/** The output of one process before its death: `word id` lines. */
interface Witness {
  readonly child: ChildProcess;
  readonly mode: string;
  readonly ended: Promise<void>;
  said: string;
}

let directory: string;
const living = new Set<Witness>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'queue-crash-'));
});
afterEach(async () => {
  for (const { child } of living) child.kill('SIGKILL');
  await Promise.all([...living].map(({ ended }) => ended));
  await rm(directory, { recursive: true, force: true });
});

it(`SQLite queue: ${kills} SIGKILLs of senders and receivers lose nothing acknowledged, return nothing completed`, async () => {
  const file = join(directory, 'local.db');
  const queue = openSqliteQueue(
    { clock: systemClock, ids: systemIds },
    { file, topology: { queues: ['work'] }, lockDurationMs: 250, maxDeliveryCount: 1000 },
  );
  const witnesses: Witness[] = [];
  const start = (mode: string) => {
    const witness = startWorker(mode, file, `${mode}${witnesses.length}`);
    witnesses.push(witness);
    return witness;
  };
  const workers = ['send', 'send', 'receive', 'receive'].map(start);
  for (let i = 0; i < kills; i++) {
    // At a random moment after the youngest has started.
    await untilSaid(witnesses.at(-1)!, 1 + Math.floor(Math.random() * 60));
    const victim = workers.splice(Math.floor(Math.random() * workers.length), 1)[0]!;
    victim.child.kill('SIGKILL');
    await victim.ended;
    workers.push(start(victim.mode));
  }
  const said = (word: string) =>
    witnesses.flatMap((witness) =>
      // The last line may be cut off.
      witness.said
        .slice(0, witness.said.lastIndexOf('\n') + 1)
        .split('\n')
        .filter((line) => line.startsWith(`${word} `))
        .map((line) => line.slice(word.length + 1)),
    );
  // Enough work for the assertions below to be meaningful.
  await until(() => said('sent').length > 50 && said('completed').length > 50);
  for (const { child } of workers) child.kill('SIGKILL');
  await Promise.all(witnesses.map(({ ended }) => ended));
  await queue.releaseLocks();
  const left = new Set<string>();
  for (;;) {
    const messages = await queue.receive({ queue: 'work' }, { maxMessages: 100, waitMs: 0 });
    if (messages.length === 0) break;
    for (const message of messages) {
      expect(left.has(message.id)).toBe(false);
      left.add(message.id);
      await queue.complete(message);
    }
  }
  expect(await queue.counts()).toEqual([{ entity: 'work', active: 0, scheduled: 0, dead: 0 }]);
  await queue.close();

  const parts = (batch: string) => ['a', 'b', 'c'].map((part) => `${batch}.${part}`);
  const completed = said('completed');
  const seen = new Set([...left, ...said('got')]);
  // Nothing acknowledged is lost.
  expect(
    said('sent')
      .flatMap(parts)
      .filter((id) => !seen.has(id)),
  ).toEqual([]);
  // An interrupted send is stored completely or not at all.
  const torn = said('sending').filter(
    (batch) => ![0, 3].includes(parts(batch).filter((id) => seen.has(id)).length),
  );
  expect(torn).toEqual([]);
  // No completed message is redelivered.
  expect(new Set(completed).size).toBe(completed.length);
  expect(completed.filter((id) => left.has(id))).toEqual([]);
});

/** Each line is one unit of work, so the test counts work instead of time. */
async function untilSaid(witness: Witness, lines: number): Promise<void> {
  await until(
    () => witness.said.split('\n').length > lines,
    () => `${witness.mode}: ${witness.said}`,
  );
}

function startWorker(mode: string, file: string, name: string): Witness {
  const child = spawn(process.execPath, [worker, mode, file, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const witness: Witness = { child, mode, ended, said: '' };
  living.add(witness);
  child.stdout.setEncoding('utf8').on('data', (text: string) => (witness.said += text));
  child.on('close', () => {
    living.delete(witness);
    resolve();
  });
  return witness;
}
