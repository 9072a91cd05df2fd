import '../support/durable/apps.ts';
import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';
import { afterEach, describe, expect, test } from 'vitest';
import { callRegistered } from '../support/durable/core.ts';
import {
  runToEnd,
  startHarness,
  waitForStatus,
  type DurableHarness,
  type HarnessOptions,
} from '../support/durable/harness.ts';
import { passTurns } from '../support/turns.ts';
import { until } from '../support/until.ts';

/** The numbered traps of the real platform, each reproduced, so that an app that passes here avoids them. */

let harness: DurableHarness | undefined;

afterEach(async () => {
  await harness?.dispose();
  harness = undefined;
});

async function start(options: HarnessOptions = {}): Promise<DurableHarness> {
  harness = await startHarness(options);
  return harness;
}

const orchestration = (
  name: string,
  handler: (context: OrchestrationContext) => Generator<df.Task, unknown, unknown>,
): void => {
  df.app.orchestration(name, handler as df.OrchestrationHandler);
};

/** Releases the gated activities of a key. */
const gates = new Map<string, (() => void)[]>();
const openGates = (key: string) => gates.get(key)?.forEach((open) => open());
df.app.activity('gated', {
  handler: (key: string) =>
    new Promise<string>((resolve) => gates.set(key, [...(gates.get(key) ?? []), () => resolve(key)])),
});
df.app.activity('outcome', {
  handler: (failing: boolean) => (failing ? { error: 'expected' } : { ok: true }),
});

function countEvents(h: DurableHarness, id: string, type: string): number {
  const rows = h.db.prepare('SELECT events FROM df_history WHERE instance_id = ?').all(id);
  return rows
    .flatMap(({ events }) => JSON.parse(String(events)) as { type: string }[])
    .filter((e) => e.type === type).length;
}

orchestration('trap1', function* (context) {
  try {
    yield context.df.Task.all([
      context.df.callActivity('boom', 1),
      context.df.callActivity('gated', context.df.instanceId),
    ]);
  } catch {
    return yield context.df.callActivity('echo', 'next');
  }
  return 'no error';
});

test('trap 1: Task.all fails fast, yet the next activity starts only once all siblings have ended', async () => {
  const h = await start();
  const id = await h.client.startNew('trap1');
  await until(() => countEvents(h, id, 'taskFailed') === 1 && gates.has(id));
  await passTurns();
  expect(countEvents(h, id, 'taskScheduled')).toBe(2);
  openGates(id);
  expect(await waitForStatus(h.client, id)).toMatchObject({ runtimeStatus: 'Completed', output: 'next' });
  expect(countEvents(h, id, 'taskScheduled')).toBe(3);
});

describe('trap 2: Task.all of retried activities, a catch, and another activity', () => {
  orchestration('trap2banned', function* (context) {
    const retry = new df.RetryOptions(1, 1);
    try {
      yield context.df.Task.all([
        context.df.callActivityWithRetry('boom', retry, 'a'),
        context.df.callActivityWithRetry('boom', retry, 'b'),
      ]);
    } catch {
      return { next: yield context.df.callActivity('echo', 'next') };
    }
    return 'no error';
  });

  orchestration('trap2', function* (context) {
    const results = (yield context.df.Task.all([
      context.df.callActivity('outcome', true),
      context.df.callActivity('outcome', false),
    ])) as readonly { readonly error?: string }[];
    const failures = results.filter(({ error }) => error !== undefined).length;
    return { failures, next: yield context.df.callActivity('echo', 'next') };
  });

  test('diverges, here as in Azure: the activity gets the value of a retry timer', async () => {
    const status = await runToEnd(await start(), 'trap2banned');
    expect(status).toMatchObject({ runtimeStatus: 'Completed', output: {} });
  });

  test.each([false, true])(
    'activities that return {ok|error} are safe (full replay: %s)',
    async (verifyReplay) => {
      const status = await runToEnd(await start({ verifyReplay }), 'trap2');
      expect(status).toMatchObject({ runtimeStatus: 'Completed', output: { failures: 1, next: 'next' } });
    },
  );
});

orchestration('trap3', function* (context) {
  const retry = new df.RetryOptions(1, 100);
  retry.backoffCoefficient = 4;
  retry.retryTimeoutInMilliseconds = 10;
  try {
    yield context.df.callActivityWithRetry('boom', retry, 1);
  } catch {
    return 'caught';
  }
  return 'no error';
});

test('trap 3: retryTimeoutInMilliseconds leaves the orchestration hanging, and this host logs it', async () => {
  const h = await start();
  const id = await h.client.startNew('trap3');
  await until(() => h.logs.some(({ message }) => message.includes('An orchestration is stuck')));
  expect((await h.client.getStatus(id)).runtimeStatus).toBe('Running');
  await h.client.terminate(id, 'given up');
  expect(await waitForStatus(h.client, id)).toMatchObject({
    runtimeStatus: 'Terminated',
    output: 'given up',
  });
});

test.each([false, true])(
  'trap 4: continueAsNew drops events that nobody waited for (full replay: %s)',
  async (verifyReplay) => {
    const h = await start({ verifyReplay });
    const id = await h.client.startNew('waitsThenWaits', { input: { wanted: 'a' } });
    await h.client.raiseEvent(id, 'b', 'lost');
    await h.client.raiseEvent(id, 'a', 'heard');
    await until(async () => JSON.stringify((await h.client.getStatus(id)).input) === '{"wanted":"b"}');
    await until(() => countEvents(h, id, 'executionStarted') === 1);
    expect((await h.client.getStatus(id)).runtimeStatus).toBe('Running');
    await h.client.raiseEvent(id, 'b', 'in time');
    expect(await waitForStatus(h.client, id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'in time',
    });
  },
);

test('trap 5: the extension accepts an event name in another case, and the code never receives it', async () => {
  const h = await start();
  const id = await h.client.startNew('eventOrTimeout', { input: 3_600_000 });
  await waitForStatus(h.client, id, ['Running']);
  await h.client.raiseEvent(id, 'GO', 1);
  await until(() => countEvents(h, id, 'eventRaised') === 1);
  await passTurns();
  expect((await h.client.getStatus(id)).runtimeStatus).toBe('Running');
  await h.client.raiseEvent(id, 'go', 2);
  expect(await waitForStatus(h.client, id)).toMatchObject({ output: { won: 2, after: 'after' } });
});

test('trap 6: startNew without input gives the orchestrator an empty string', async () => {
  const status = await runToEnd(await start(), 'echoInput');
  expect(status).toMatchObject({ output: { input: '' }, input: '' });
});

orchestration('trap7', function* (context) {
  return yield context.df.callActivity('oddValues');
});

test('trap 7: values travel as JSON: Date to string, Map to {}, undefined dropped, NaN to null', async () => {
  const status = await runToEnd(await start(), 'trap7');
  expect(status.output).toStrictEqual({ date: '2001-01-02T00:00:00.000Z', map: {}, nan: null });
});

describe('trap 8: limits', () => {
  test('a custom status of 16 KB in UTF-16 passes, more fails the orchestration', async () => {
    const h = await start();
    const fits = await h.client.startNew('status', { input: 8 * 1024 - 2 });
    const tooLarge = await h.client.startNew('status', { input: 8 * 1024 - 1 });
    for (const id of [fits, tooLarge]) await h.client.raiseEvent(id, 'next', null);
    await until(async () => {
      const { customStatus } = await h.client.getStatus(fits);
      return typeof customStatus === 'string';
    });
    expect(await waitForStatus(h.client, tooLarge)).toMatchObject({
      runtimeStatus: 'Failed',
      output:
        "Orchestrator function 'status' failed: The UTF-16 size of the JSON-serialized payload must not exceed " +
        '16 KB. The current payload size is 16 KB.',
    });
    await h.client.raiseEvent(fits, 'next', null);
    expect(await waitForStatus(h.client, fits)).toMatchObject({ runtimeStatus: 'Completed' });
  });

  test.each(['@x', 'a%2Fb', 'a%5Cb', 'a%23b', 'a%3Fb', 'a%0Ab', 'x'.repeat(257)])(
    'the instance id %s is refused',
    async (instanceId) => {
      const h = await start();
      await expect(h.client.startNew('echoInput', { instanceId })).rejects.toThrow('400');
      expect(h.db.prepare('SELECT count(*) AS n FROM df_instances').get()).toEqual({ n: 0 });
    },
  );

  test('the longest instance id is accepted', async () => {
    const h = await start();
    const instanceId = 'x'.repeat(256);
    expect(await h.client.startNew('echoInput', { instanceId })).toBe(instanceId);
  });
});

describe('trap 9: determinism', () => {
  orchestration('randomInput', function* (context) {
    return yield context.df.callActivity('echo', Math.random());
  });
  orchestration('yieldsNonsense', function* () {
    yield 5 as unknown as df.Task;
    return 'never';
  });
  orchestration('changed', function* (context) {
    yield context.df.waitForExternalEvent('go');
    return yield context.df.callActivity('echo', 1);
  });
  orchestration('changedTo', function* (context) {
    yield context.df.callActivity('add', [1]);
    return 'done';
  });

  test('Math.random in an orchestrator goes unnoticed in a batch and fails under full replay', async () => {
    expect(await runToEnd(await start(), 'randomInput')).toMatchObject({ runtimeStatus: 'Completed' });
    await harness?.dispose();
    const status = await runToEnd(await start({ verifyReplay: true }), 'randomInput');
    expect(status.runtimeStatus).toBe('Failed');
    expect(status.output).toContain('Non-Deterministic workflow detected');
  });

  test("code that changed under a running instance fails it with the framework's message", async () => {
    let isChanged = false;
    const h = await start({
      invoke: (name, input) => callRegistered(isChanged && name === 'trap1' ? 'changedTo' : name, input),
    });
    const id = await h.client.startNew('trap1');
    await until(() => gates.has(id) && countEvents(h, id, 'taskFailed') === 1);
    isChanged = true;
    openGates(id);
    expect(await waitForStatus(h.client, id)).toMatchObject({
      runtimeStatus: 'Failed',
      output:
        'Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity task ' +
        "with sequence ID 0 and name 'boom', but the current orchestration replay instead scheduled 'add' with this " +
        'sequence ID. Was a change made to the orchestrator code after this instance had already started running?',
    });
  });

  test('yielding anything but a task fails with the message of the SDK', async () => {
    const status = await runToEnd(await start(), 'yieldsNonsense');
    expect(status.runtimeStatus).toBe('Failed');
    expect(status.output).toContain('Durable Functions programming constraint violation');
  });
});

describe('not in the list: a task yielded twice', () => {
  orchestration('yieldedTwice', function* (context) {
    const slow = context.df.callActivity('gated', context.df.instanceId);
    const quick = context.df.callActivity('echo', 'quick');
    yield context.df.Task.any([slow, quick]);
    yield context.df.Task.any([slow]);
    return yield context.df.callActivity('echo', 'last');
  });

  test('is scheduled twice by the extension, so that ids diverge, here as in Azure', async () => {
    const h = await start();
    const id = await h.client.startNew('yieldedTwice');
    await until(() => countEvents(h, id, 'taskScheduled') >= 3 && (gates.get(id)?.length ?? 0) >= 2);
    openGates(id);
    const status = await waitForStatus(h.client, id);
    expect(status.output).not.toBe('last');
  });
});
