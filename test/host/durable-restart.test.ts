import '../support/durable/apps.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callRegistered } from '../support/durable/core.ts';
import {
  startHarness,
  waitForStatus,
  type DurableHarness,
  type HarnessOptions,
} from '../support/durable/harness.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { passTurns } from '../support/turns.ts';
import { until } from '../support/until.ts';

let folder: string;
let harness: DurableHarness | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'durable-restart-'));
});

afterEach(async () => {
  await harness?.dispose();
  harness = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Restarts the host on the same database. */
async function restart(options: HarnessOptions = {}): Promise<DurableHarness> {
  await harness?.dispose();
  harness = await startHarness({ ...options, file: join(folder, 'host.db') });
  return harness;
}

interface Trigger {
  readonly history: readonly { readonly EventType: number; readonly IsPlayed: boolean }[];
}

const isTrigger = (input: string): boolean => input.startsWith('{"history"');

test('after a restart the orchestrator sees the same history as without one', async () => {
  const seen: Trigger[][] = [];
  for (const isRestarted of [false, true]) {
    const triggers: Trigger[] = [];
    const invoke = (name: string, input: string): Promise<unknown> => {
      if (isTrigger(input)) triggers.push(JSON.parse(input) as Trigger);
      return callRegistered(name, input);
    };
    const instanceId = `i-${isRestarted}`;
    let h = await restart({ invoke });
    await h.client.startNew('twoEvents', { instanceId });
    await until(() => triggers.length === 1);
    await h.client.raiseEvent(instanceId, 'one', 1);
    await until(() => triggers.length === 2);
    if (isRestarted) h = await restart({ invoke });
    await h.client.raiseEvent(instanceId, 'two', 2);
    await waitForStatus(h.client, instanceId);
    seen.push(triggers);
  }
  const shapes = seen.map((triggers) =>
    triggers.map(({ history }) => history.map(({ EventType, IsPlayed }) => [EventType, IsPlayed])),
  );
  expect(shapes[1]).toEqual(shapes[0]);
  expect(shapes[1]?.[2]?.filter(([, isPlayed]) => isPlayed === false)).toEqual([
    [12, false],
    [15, false],
  ]);
});

test('a timer that was due while the host was down fires at the start', async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  let h = await restart({ clock });
  const id = await h.client.startNew('timer', { input: 60_000 });
  await until(() => h.db.prepare('SELECT count(*) AS n FROM df_timers').get()?.['n'] === 1);
  await h.dispose();
  harness = undefined;
  clock.advance(60_000);
  h = await restart({ clock });
  expect(await waitForStatus(h.client, id)).toMatchObject({ runtimeStatus: 'Completed' });
});

describe('what changed between two starts', () => {
  test('a removed activity fails its task, with the reason', async () => {
    let h = await restart({
      invoke: (name, input) => (name === 'boom' ? new Promise(() => undefined) : callRegistered(name, input)),
    });
    const id = await h.client.startNew('uncaught');
    await until(() => h.db.prepare('SELECT count(*) AS n FROM df_activities').get()?.['n'] === 1);
    h = await restart({ without: ['boom'] });
    const status = await waitForStatus(h.client, id);
    expect(status.runtimeStatus).toBe('Failed');
    expect(status.output).toContain(
      "The function 'boom' doesn't exist, is disabled, or is not an activity function.",
    );
  });

  test('a removed orchestrator fails its instances, with the reason', async () => {
    let h = await restart();
    const id = await h.client.startNew('twoEvents');
    await waitForStatus(h.client, id, ['Running']);
    h = await restart({ without: ['twoEvents'] });
    await h.client.raiseEvent(id, 'one', 1);
    const status = await waitForStatus(h.client, id);
    expect(status.output).toContain(
      "The function 'twoEvents' doesn't exist, is disabled, or is not an orchestrator function.",
    );
  });
});

test('an instance that is replaced while its orchestrator runs drops the old run', async () => {
  let release: (() => void) | undefined;
  const invoke = async (name: string, input: string): Promise<unknown> => {
    const reply = await callRegistered(name, input);
    if (name === 'chain' && release === undefined)
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    return reply;
  };
  const h = await restart({ invoke, settings: { overridableExistingInstanceStates: 'AnyState' } });
  const instanceId = await h.client.startNew('chain', { instanceId: 'same', input: 1 });
  await until(() => release !== undefined);
  await h.client.startNew('twoEvents', { instanceId });
  release?.();
  await waitForStatus(h.client, instanceId, ['Running']);
  const countActivities = () => h.db.prepare('SELECT count(*) AS n FROM df_activities').get();
  expect(countActivities()).toEqual({ n: 0 });
  for (const name of ['one', 'two']) await h.client.raiseEvent(instanceId, name, name);
  expect(await waitForStatus(h.client, instanceId)).toMatchObject({
    name: 'twoEvents',
    output: ['one', 'two'],
  });
  expect(countActivities()).toEqual({ n: 0 });
});

test('retries writes on a full disk, loses nothing, and reports nothing as missing', async () => {
  const h = await restart();
  const id = await h.client.startNew('echoThrough', { input: 'small' });
  await waitForStatus(h.client, id);
  const pages = Number(h.db.prepare('PRAGMA page_count').get()?.['page_count']);
  const waiting = await h.client.startNew('echoThrough', { input: 'x'.repeat(20_000) });
  h.db.exec(`PRAGMA max_page_count = ${pages + 6}`);
  await until(() =>
    h.logs.some(({ level, message }) => level === 'error' && /^Saving .* failed; retrying$/.test(message)),
  );
  await expect(h.client.startNew('echoThrough', { input: 'y'.repeat(100_000) })).rejects.toThrow('500');
  expect((await h.client.getStatus(waiting)).runtimeStatus).toMatch(/Pending|Running/);
  h.db.exec('PRAGMA max_page_count = 1000000');
  expect((await waitForStatus(h.client, waiting)).runtimeStatus).toBe('Completed');
});

test('a stop waits for a running activity and saves its result', async () => {
  let runs = 0;
  let release: (() => void) | undefined;
  const invoke = async (name: string, input: string): Promise<unknown> => {
    if (name === 'echo' && ++runs === 1) await new Promise<void>((resolve) => (release = resolve));
    return callRegistered(name, input);
  };
  let h = await restart({ invoke });
  const id = await h.client.startNew('echoThrough', { input: 'done' });
  await until(() => runs === 1);
  let isStopped = false;
  const stopping = h.dispose().then(() => (isStopped = true));
  await passTurns();
  expect(isStopped).toBe(false);
  release?.();
  await stopping;
  harness = undefined;
  h = await restart({ invoke });
  expect(await waitForStatus(h.client, id)).toMatchObject({ runtimeStatus: 'Completed', output: 'done' });
  expect(runs).toBe(1);
});

test('an activity with a saved result does not run again after a restart', async () => {
  let runs = 0;
  const invoke = (name: string, input: string): Promise<unknown> => {
    if (name === 'echo') runs++;
    return callRegistered(name, input);
  };
  let h = await restart({ invoke });
  const id = await h.client.startNew('workThenWait');
  await until(() => h.db.prepare('SELECT count(*) AS n FROM df_history').get()?.['n'] === 2);
  h = await restart({ invoke });
  await h.client.raiseEvent(id, 'go', 1);
  expect(await waitForStatus(h.client, id)).toMatchObject({ runtimeStatus: 'Completed', output: 'done' });
  expect(runs).toBe(1);
});
