import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const kills = 25;
const folder = mkdtempSync(join(tmpdir(), 'durable-crash-'));
const file = join(folder, 'host.db');
const effects = join(folder, 'effects');
let child: ChildProcess | undefined;

afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

async function startChild(...lethal: readonly number[]): Promise<string> {
  const script = join(import.meta.dirname, '../support/durable/child.ts');
  const args = [script, file, effects, ...lethal.map(String)];
  child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const [line] = (await once(lines, 'line')) as [string];
  return (JSON.parse(line) as { rpcBaseUrl: string }).rpcBaseUrl;
}

async function kill(): Promise<void> {
  const exited = once(child as ChildProcess, 'exit');
  child?.kill('SIGKILL');
  await exited;
}

const random = (least: number, most: number) => least + Math.floor(Math.random() * (most - least + 1));

/** @returns whether the host acknowledged the request before it died; acknowledged work must never be lost */
async function isAccepted(url: string, body: unknown): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.status === 202;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

const kinds = ['chain', 'fan', 'naps', 'family'] as const;
const marksOf = {
  chain: (id: string) => [0, 1, 2, 3, 4].map((n) => `${id}-${n}`),
  fan: (id: string) => Array.from({ length: 40 }, (_, n) => `${id}-${n}`),
  naps: (id: string) => [0, 1, 2].map((n) => `${id}-${n}`),
  family: (id: string) => [0, 1, 2].flatMap((c) => [0, 1, 2].map((n) => `${id}-c${c}-${n}`)),
} as const;

interface Row {
  readonly instance_id: string;
  readonly name: string;
  readonly status: string;
  readonly output: string | null;
}

function readInstances(): readonly Row[] {
  using db = new DatabaseSync(file, { readOnly: true });
  return db.prepare('SELECT instance_id, name, status, output FROM df_instances').all() as unknown as Row[];
}

/** Counts pending messages, activities and timers. */
function countPending(): number {
  using db = new DatabaseSync(file, { readOnly: true });
  const tables = ['df_inbox', 'df_activities', 'df_timers', 'df_entity_inbox'];
  const counts = tables.map((table) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
}

test(`${kills} SIGKILLs at random moments: nothing lost, no effect missing, counters exact`, async () => {
  mkdirSync(effects, { recursive: true });
  const accepted = new Map<string, (typeof kinds)[number]>();
  const events: number[] = [];
  const unsure: number[] = [];
  let killedAtWork = 0;
  let nextEvent = 0;
  for (let round = 0; round < kills; round++) {
    // A round has more than 100 effects, so that the kill interrupts work.
    const url = await startChild(random(1, 100), random(0, 50));
    if (round === 0 && !(await isAccepted(`${url}orchestrators/collector/collector`, [])))
      throw new Error('the collector was not accepted');
    const exited = once(child as ChildProcess, 'exit');
    for (let turn = 0; turn < 3; turn++) {
      for (const kind of kinds) {
        const id = `r${round}-${turn}-${kind}`;
        if (await isAccepted(`${url}orchestrators/${kind}/${id}`, null)) accepted.set(id, kind);
      }
      const event = nextEvent++;
      const isHeard = await isAccepted(`${url}instances/collector/raiseEvent/item`, event);
      (isHeard ? events : unsure).push(event);
    }
    await exited;
    if (readInstances().some(({ status, name }) => status !== 'Completed' && name !== 'collector'))
      killedAtWork++;
  }
  // The test is only meaningful when most kills interrupted work.
  expect(killedAtWork).toBeGreaterThan(kills / 2);

  const url = await startChild();
  expect(await isAccepted(`${url}instances/collector/raiseEvent/item`, -1)).toBe(true);
  await until(
    () => readInstances().every(({ status }) => status === 'Completed') && countPending() === 0,
    () => `${JSON.stringify(readInstances())}, ${countPending()} pending`,
  );
  await kill();

  const instances = readInstances();
  expect(instances.filter(({ status }) => status !== 'Completed')).toEqual([]);
  const byId = new Map(instances.map((row) => [row.instance_id, row]));
  for (const [id, kind] of accepted) expect(byId.get(id)?.name).toBe(kind);
  const roots = instances.filter(({ instance_id: id }) => /^r\d+-\d-[a-z]+$/.test(id));
  const expected = roots.flatMap(({ instance_id: id, name }) => marksOf[name as (typeof kinds)[number]](id));
  expect(new Set(readdirSync(effects))).toEqual(new Set(expected));

  const collected = JSON.parse(byId.get('collector')?.output ?? 'null') as number[];
  expect(collected.filter((event) => !unsure.includes(event))).toEqual(events);
  expect(new Set(collected).size).toBe(collected.length);
  expect(countPending()).toBe(0);

  const db = new DatabaseSync(file, { readOnly: true });
  const tally = (key: string): unknown =>
    db.prepare('SELECT state FROM df_entities WHERE entity_id = ?').get(`@tally@${key}`)?.['state'];
  const count = (name: string): string => String(roots.filter((row) => row.name === name).length);
  expect([tally('chains'), tally('fans')]).toEqual([count('chain'), count('fan')]);
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  db.close();
});
