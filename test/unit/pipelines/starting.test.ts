import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import { createPipelineBench, type PipelineBench, RecordingEngine } from '../../support/pipelines/bench.ts';
import { createDocuments, metadataStores } from '../../support/stores.ts';

const catalog = {
  steps: {
    plant: {
      description: 'Plants.',
      params: z.strictObject({}),
      input: {},
      output: z.unknown(),
    },
  },
  definitions: {},
};
const steps = [{ name: 'plant', uses: 'plant' }];
const event = { type: 'dataset.version.created', dataset: 'seeds', version: 4 } as const;
const outage = () => new AppError('UNAVAILABLE', 'down');

let bench: PipelineBench;

async function declare(...names: readonly string[]): Promise<void> {
  for (const name of names) await bench.declarations.put(name, { on: { dataset: 'seeds' }, steps }, 'ada');
}

function announce() {
  return bench.triggers.onDatasetVersion(event, silentLogger);
}

/** Ages every run beyond the timer's threshold, and runs the timer. */
async function tick(): Promise<void> {
  const { items } = await bench.runs.list({ limit: 100 });
  for (const { runId } of items)
    await bench.store.updateRun(runId, (run) => ({ ...run, createdAt: run.createdAt - 11 * 60_000 }));
  await bench.triggers.reconcile(silentLogger);
}

function handle(body: unknown): Promise<void> {
  return bench.control.handle(body, bench.engine, silentLogger);
}

describe.each(metadataStores)('a recorded run starts once, on $name,', ({ open }) => {
  beforeEach(async () => {
    bench = createPipelineBench(await open(), catalog);
    await declare('a');
  });

  test('when nothing fails', async () => {
    const [run] = await announce();
    expect(run).toMatchObject({ status: 'pending' });
    expect(bench.engine.started).toEqual([]);
    await bench.deliver();
    expect(bench.engine.started).toEqual([run?.runId]);
  });

  test('when the send fails and the trigger repeats', async () => {
    bench.sendFailures.push(outage());
    await expect(announce()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const [run] = await announce();
    await bench.deliver();
    expect(bench.engine.started).toEqual([run?.runId]);
    expect((await bench.runs.list({ limit: 10 })).items).toHaveLength(1);
  });

  test('when the send fails after a manual start: the caller gets the run and the timer starts it', async () => {
    bench.sendFailures.push(outage());
    const run = await bench.triggers.byHand('a', {}, 'ada', silentLogger);
    await bench.deliver();
    expect(bench.engine.started).toEqual([]);
    await tick();
    await bench.deliver();
    expect(bench.engine.started).toContain(run.runId);
  });

  test('when the process dies between the write and the send', async () => {
    const request = { pipeline: 'a', steps, params: {}, given: {}, cause: {}, runId: 'a.by-hand.1' };
    await bench.runs.record(request);
    await tick();
    await bench.deliver();
    expect(bench.engine.started.filter((runId) => runId === 'a.by-hand.1')).toHaveLength(1);
  });

  test('from the timer no earlier than a minute after it was recorded', async () => {
    const request = { pipeline: 'b', steps, params: {}, given: {}, cause: {}, runId: 'b.by-hand.1' };
    await bench.runs.record(request);
    await bench.triggers.reconcile(silentLogger);
    expect(bench.sent).toEqual([]);
  });

  test('when its message is delivered twice', async () => {
    await announce();
    const [message] = bench.sent;
    await bench.deliver();
    await handle(message?.body);
    expect(bench.engine.started).toHaveLength(1);
  });

  test('when the Durable client fails and the message is redelivered', async () => {
    await announce();
    bench.engine.failures.push(new Error('socket hang up'));
    await expect(bench.deliver()).rejects.toThrow('socket hang up');
    await bench.deliver();
    expect(bench.engine.started).toHaveLength(1);
  });

  test('when the engine’s status cannot be read and the message is redelivered', async () => {
    await announce();
    const [message] = bench.sent;
    const broken = new RecordingEngine();
    broken.status = () => Promise.reject(new Error('503'));
    await expect(bench.control.handle(message?.body, broken, silentLogger)).rejects.toThrow('503');
    expect(broken.started).toEqual([]);
    await bench.deliver();
    expect(bench.engine.started).toHaveLength(1);
  });

  test('when the message is handled before its run is visible', async () => {
    const body = { type: 'run.start', runId: 'a.by-hand.later' };
    await expect(handle(body)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const request = { pipeline: 'a', steps, params: {}, given: {}, cause: {}, runId: body.runId };
    await bench.runs.record(request);
    await handle(body);
    expect(bench.engine.started).toEqual([body.runId]);
  });

  test('and again after the engine lost it', async () => {
    const [run] = await announce();
    await bench.deliver();
    await bench.store.updateRun(run!.runId, (now) => ({ ...now, status: 'running' }));
    bench.engine.started.length = 0;
    await tick();
    await bench.deliver();
    expect(bench.engine.started).toEqual([run?.runId]);
  });
});

describe.each(metadataStores)('a run on $name', ({ open }) => {
  beforeEach(async () => {
    bench = createPipelineBench(await open(), catalog);
    await declare('a');
  });

  test('that was cancelled before its message arrived is not started', async () => {
    const [run] = await announce();
    await bench.runs.cancel(run!.runId, 'ada');
    await bench.deliver();
    expect(bench.engine.started).toEqual([]);
  });

  test('that has ended is not started by a late message', async () => {
    const [run] = await announce();
    await bench.runs.finish(run!.runId, { status: 'succeeded', outputs: {} });
    await bench.deliver();
    expect(bench.engine.started).toEqual([]);
    expect(await bench.runs.get(run!.runId)).toMatchObject({ status: 'succeeded' });
  });

  test.each(['failed', 'terminated', 'completed'] as const)(
    'that the engine reports as %s without a result fails with that reason',
    async (status) => {
      const [run] = await announce();
      await bench.deliver();
      bench.engine.statuses.set(run!.runId, status);
      await tick();
      await bench.deliver();
      expect(await bench.runs.get(run!.runId)).toMatchObject({
        status: 'failed',
        error: { step: 'plant', code: 'INTERNAL', message: expect.stringContaining(status) as string },
      });
      expect(bench.engine.started).toEqual([run?.runId]);
    },
  );

  test('that the engine still runs is ignored by the timer', async () => {
    const [run] = await announce();
    await bench.deliver();
    await bench.store.updateRun(run!.runId, (now) => ({ ...now, status: 'running' }));
    await tick();
    await bench.deliver();
    expect(bench.engine.started).toEqual([run?.runId]);
    expect(await bench.runs.get(run!.runId)).toMatchObject({ status: 'running' });
  });

  test('is cancelled in the engine, however often its message is delivered', async () => {
    const [run] = await announce();
    await bench.deliver();
    await bench.runs.cancel(run!.runId, 'ada');
    const [message] = bench.sent;
    await bench.deliver();
    await handle(message?.body);
    expect(new Set(bench.engine.terminated)).toEqual(new Set([run?.runId]));
  });

  test('that is not cancelled is not ended by a cancellation message', async () => {
    const [run] = await announce();
    await bench.deliver();
    await handle({ type: 'run.cancel', runId: run!.runId });
    expect(bench.engine.terminated).toEqual([]);
  });

  test('whose cancellation message was lost is cancelled; repeating the request sends it', async () => {
    const [run] = await announce();
    await bench.deliver();
    bench.sendFailures.push(outage());
    await expect(bench.runs.cancel(run!.runId, 'ada')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await bench.runs.get(run!.runId)).toMatchObject({ status: 'cancelled' });
    await bench.runs.cancel(run!.runId, 'ada');
    await bench.deliver();
    expect(bench.engine.terminated).toEqual([run?.runId]);
  });

  test('is unaffected by a malformed message', async () => {
    await expect(handle({ type: 'run.delete', runId: 'a' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(handle('run.start')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

test('resent messages have new ids that fit the queue', async () => {
  bench = createPipelineBench(createDocuments(), catalog);
  const runId = `${'p'.repeat(63)}.by-hand.${'k'.repeat(64)}`;
  const request = { pipeline: 'p', steps, params: {}, given: {}, cause: {}, runId };
  await bench.runs.start(request);
  await bench.runs.start(request);
  await bench.runs.requestStart((await bench.runs.list({ limit: 1 })).items[0]!, String(systemClock.now()));
  const ids = bench.sent.map(({ id }) => id);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[2]).not.toBe(ids[0]);
  expect(Math.max(...ids.map((id) => id.length))).toBeLessThanOrEqual(128);
});

/** Faults of messages and calls. */
const mishap = fc.constantFrom(
  'none',
  'send fails',
  'engine fails',
  'message lost',
  'message twice',
  'trigger again',
  'tick',
);

test('starts every recorded run once under any sequence of failures', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mishap, { maxLength: 12 }), async (mishaps) => {
      bench = createPipelineBench(createDocuments(), catalog);
      await declare('a', 'constructor', 'c');
      for (const what of mishaps) {
        if (what === 'send fails') bench.sendFailures.push(outage());
        if (what === 'engine fails') bench.engine.failures.push(new Error('socket hang up'));
        if (what === 'message lost') bench.sent.shift();
        if (what === 'message twice' && bench.sent[0]) bench.sent.push(bench.sent[0]);
        if (what === 'trigger again') await announce().catch(() => undefined);
        if (what === 'tick') await tick().catch(() => undefined);
        if (what === 'none') await bench.deliver().catch(() => undefined);
      }
      bench.sendFailures.length = 0;
      bench.engine.failures.length = 0;
      await tick();
      await bench.deliver();
      const { items } = await bench.runs.list({ limit: 100 });
      expect([...bench.engine.started].sort()).toEqual(items.map(({ runId }) => runId).sort());
    }),
    { numRuns: 60 },
  );
});
