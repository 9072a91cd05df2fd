import { attemptsOf } from '../support/durable/apps.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../support/manual-clock.ts';
import {
  runToEnd,
  startHarness,
  waitForStatus,
  type DurableHarness,
  type HarnessOptions,
} from '../support/durable/harness.ts';
import { passTurns } from '../support/turns.ts';
import { until } from '../support/until.ts';

let harness: DurableHarness | undefined;

afterEach(async () => {
  await harness?.dispose();
  harness = undefined;
});

async function start(options: HarnessOptions): Promise<DurableHarness> {
  harness = await startHarness(options);
  return harness;
}

const dayMs = 86_400_000;

describe.each([
  { mode: 'batched turns', verifyReplay: false },
  { mode: 'forced full replay, one event at a time', verifyReplay: true },
])('trap 9: orchestrations, $mode', ({ verifyReplay }) => {
  const completed = (output: unknown): object => ({ runtimeStatus: 'Completed', output });

  test('a chain of five activities', async () => {
    expect(await runToEnd(await start({ verifyReplay }), 'chain', 1)).toMatchObject(completed(6));
  });

  test('a fan-out and the next step', async () => {
    expect(await runToEnd(await start({ verifyReplay }), 'fanOut', 30)).toMatchObject(completed(435));
  });

  test('a retried activity that succeeds at its third attempt', async () => {
    const key = `third-${verifyReplay}`;
    const status = await runToEnd(await start({ verifyReplay }), 'retries', { key, failures: 2 });
    expect(status).toMatchObject(completed({ value: 3, after: 'after' }));
    expect(attemptsOf(key)).toBe(3);
  });

  test('a retried activity that never succeeds: a timer follows the last attempt, and ids still match', async () => {
    const status = await runToEnd(await start({ verifyReplay }), 'retriesCaught');
    expect(status).toMatchObject(
      completed({ message: "Activity function 'boom' failed: boom 7 \n boom 7", after: 'after' }),
    );
  });

  test('an uncaught failure', async () => {
    const reason = 'Activity function \'boom\' failed: boom "x" \n boom "x"';
    expect(await runToEnd(await start({ verifyReplay }), 'uncaught')).toMatchObject({
      runtimeStatus: 'Failed',
      output: `Orchestrator function 'uncaught' failed: ${reason}`,
    });
  });

  test('sub-orchestrations, with generated and with given ids', async () => {
    const h = await start({ verifyReplay });
    const id = await h.client.startNew('parent');
    expect(await waitForStatus(h.client, id)).toMatchObject(completed([15, 25]));
    expect(await h.client.getStatus(`${id}-child`)).toMatchObject({ ...completed(25), name: 'chain' });
  });

  test('a failing sub-orchestration reaches its parent as an error', async () => {
    const status = await runToEnd(await start({ verifyReplay }), 'parentOfFailing');
    expect(status.output).toContain(
      "Orchestrator function 'uncaught' failed: Activity function 'boom' failed",
    );
  });

  test('a retried sub-orchestration', async () => {
    const key = `sub-${verifyReplay}`;
    expect(await runToEnd(await start({ verifyReplay }), 'parentWithRetry', key)).toMatchObject(completed(3));
  });

  test('a timer fires at its time, not before', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const h = await start({ verifyReplay, clock });
    const id = await h.client.startNew('timer', { input: 60_000 });
    await waitForStatus(h.client, id, ['Running']);
    await until(() => h.db.prepare('SELECT count(*) AS n FROM df_timers').get()?.['n'] === 1);
    clock.advance(59_999);
    await passTurns();
    expect((await h.client.getStatus(id)).runtimeStatus).toBe('Running');
    clock.advance(1);
    expect(await waitForStatus(h.client, id)).toMatchObject(completed(60_000));
  });

  test('a timer of ten days is a chain of timers of at most three', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1));
    const h = await start({ verifyReplay, clock });
    const id = await h.client.startNew('timer', { input: 10 * dayMs });
    for (const leg of [3, 3, 3, 1]) {
      await until(() => h.db.prepare('SELECT count(*) AS n FROM df_timers').get()?.['n'] === 1);
      const next = h.db.prepare('SELECT fire_at_ms AS atMs FROM df_timers').get()?.['atMs'];
      expect(next).toBe(clock.now() + leg * dayMs);
      clock.advance(leg * dayMs);
      await until(() => {
        const row = h.db.prepare('SELECT fire_at_ms AS atMs FROM df_timers').get();
        return row === undefined ? clock.now() === Date.UTC(2026, 0, 11) : row['atMs'] !== next;
      });
    }
    expect(await waitForStatus(h.client, id)).toMatchObject(completed(10 * dayMs));
  });

  test('an event before the timeout cancels the timer', async () => {
    const h = await start({ verifyReplay });
    const id = await h.client.startNew('eventOrTimeout', { input: 3_600_000 });
    await waitForStatus(h.client, id, ['Running']);
    await h.client.raiseEvent(id, 'go', { by: 'me' });
    expect(await waitForStatus(h.client, id)).toMatchObject(completed({ won: { by: 'me' }, after: 'after' }));
    expect(h.db.prepare('SELECT count(*) AS n FROM df_timers').get()).toEqual({ n: 0 });
  });

  test('the timeout before the event', async () => {
    const status = await runToEnd(await start({ verifyReplay }), 'eventOrTimeout', 20);
    expect(status).toMatchObject(completed({ won: 'timeout', after: 'after' }));
  });

  test('events are kept until a task waits for them, in any order of names', async () => {
    const h = await start({ verifyReplay });
    const id = await h.client.startNew('twoEvents');
    await h.client.raiseEvent(id, 'two', 2);
    await h.client.raiseEvent(id, 'one', 1);
    expect(await waitForStatus(h.client, id)).toMatchObject(completed([1, 2]));
  });

  test('continueAsNew starts over with new input and a new history', async () => {
    const h = await start({ verifyReplay });
    const id = await h.client.startNew('countDown', { input: 4 });
    expect(await waitForStatus(h.client, id)).toMatchObject({ ...completed(0), input: 0 });
    expect(h.db.prepare('SELECT count(*) AS n FROM df_history').get()).toEqual({ n: 2 });
  });

  test('events that come after continueAsNew reach the next execution', async () => {
    const h = await start({ verifyReplay });
    const id = await h.client.startNew('collect', { input: [] });
    for (const item of [1, 2, 3, 4, 5, 'end']) await h.client.raiseEvent(id, 'item', item);
    expect(await waitForStatus(h.client, id)).toMatchObject(completed([1, 2, 3, 4, 5]));
  });

  test('entities: signals in order, calls with answers, errors as errors', async () => {
    const status = await runToEnd(await start({ verifyReplay }), 'entities', 'k');
    expect(status).toMatchObject(completed({ before: 5, after: 10, refused: true }));
  });

  test('newGuid gives different values, the same in every replay', async () => {
    expect(await runToEnd(await start({ verifyReplay }), 'guids')).toMatchObject(completed(2));
  });
});
