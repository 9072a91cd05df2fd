import { expect, test } from 'vitest';
import { z } from 'zod';
import { type Clock, systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { Run } from '../../../shared/domains/pipelines/entities.ts';
import type { StepCall } from '../../../shared/domains/pipelines/orchestrate.ts';
import type { OldPlan } from '../../../shared/domains/pipelines/plan.ts';
import { runStep } from '../../../shared/domains/pipelines/run-step.ts';
import { RunStore } from '../../../shared/domains/pipelines/run-store.ts';
import type { Step, StepContext } from '../../../shared/domains/pipelines/step.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { planOf, stepOf } from '../../support/pipelines/plans.ts';
import { createDocuments, system } from '../../support/stores.ts';

const runId = 'run';

test('keeps the success of two concurrent deliveries, whichever ends last', async () => {
  const store = await createRun();
  const slow = Promise.withResolvers<string>();
  const losing = Promise.withResolvers<string>();
  let begun = 0;
  const work = (promise: Promise<string>) => () => {
    begun += 1;
    return promise;
  };
  const first = start(store, work(slow.promise));
  const second = start(store, work(losing.promise));
  await expect.poll(() => begun).toBe(2);
  slow.resolve('done');
  expect(await first).toEqual({ ok: true, output: 'done' });
  losing.reject(new AppError('PRECONDITION_FAILED', 'somebody did it already'));
  expect(await second).toEqual({ ok: true, output: 'done' });
  expect(await store.getStep(runId, 'plant')).toMatchObject({ status: 'succeeded', output: 'done' });
});

test('a heartbeat of another delivery never turns a final status into "running"', async () => {
  const store = await createRun();
  const late = Promise.withResolvers<string>();
  const clock = new ManualClock(0);
  const work = ({ report }: StepContext<null>) => {
    report(0.5, 'half way');
    return late.promise;
  };
  const other = start(store, work, { clock });
  await expect.poll(() => clock.sleepers).toBe(1);
  expect(await store.getStep(runId, 'plant')).toMatchObject({ status: 'running' });
  await start(store, async () => 'done');
  // The other delivery has progress to report and must not. It sleeps again after its heartbeat.
  clock.advance(500);
  await expect.poll(() => clock.sleepers).toBe(1);
  expect(await store.getStep(runId, 'plant')).toMatchObject({ status: 'succeeded', output: 'done' });
  late.resolve('again');
  expect(await other).toEqual({ ok: true, output: 'done' });
});

test('a late failure of an early delivery does not hide a later attempt', async () => {
  const store = await createRun();
  const first = Promise.withResolvers<string>();
  const early = start(store, () => first.promise);
  await expect.poll(async () => (await store.getStep(runId, 'plant'))?.attempt).toBe(1);
  const second = Promise.withResolvers<string>();
  const later = start(store, () => second.promise, { attempt: 2 });
  await expect.poll(async () => (await store.getStep(runId, 'plant'))?.attempt).toBe(2);
  first.reject(new AppError('UNAVAILABLE', 'down'));
  expect(await early).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
  expect(await store.getStep(runId, 'plant')).toMatchObject({ status: 'running', attempt: 2 });
  second.resolve('done');
  expect(await later).toEqual({ ok: true, output: 'done' });
});

test('returns an outage of the metadata store as a retryable outcome instead of throwing', async () => {
  const documents = createDocuments();
  const store = await createRun(documents);
  const failWithOutage = () => Promise.reject(new AppError('UNAVAILABLE', 'the metadata store is down'));
  for (const broken of ['get', 'create'] as const) {
    const outcome = await start(
      new RunStore({ store: withBroken(documents, broken, failWithOutage), ...system }),
      async () => 'done',
    );
    expect(outcome, broken).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retry: true } });
  }
  const failsAtTheEnd = withBroken(documents, 'replace', failWithOutage);
  expect(await start(new RunStore({ store: failsAtTheEnd, ...system }), async () => 'done')).toMatchObject({
    ok: false,
    error: { code: 'UNAVAILABLE', retry: true },
  });
  expect(await start(store, async () => 'done')).toEqual({ ok: true, output: 'done' });
});

test('does nothing in a run that was cancelled before the step', async () => {
  const store = await createRun();
  await store.updateRun(runId, (run) => ({ ...run, status: 'cancelled', endedAt: 1 }));
  let done = 0;
  const outcome = await start(store, async () => (done += 1));
  expect(outcome).toMatchObject({ ok: false, error: { code: 'CANCELLED', retry: false } });
  expect(done).toBe(0);
});

test('marks the run "running" at the first step, in listings too', async () => {
  const store = await createRun();
  const work = Promise.withResolvers<string>();
  const outcome = start(store, () => work.promise);
  await expect
    .poll(async () => (await store.listRuns({ limit: 10 })).items.map(({ status }) => status))
    .toEqual(['running']);
  work.resolve('done');
  await outcome;
});

test('fails a run planned by an earlier build with the remedy, after its completed steps', async () => {
  const store = await createRun();
  await start(store, async () => 'done');
  const { steps } = planOf([stepOf('plant'), stepOf('water', ['plant'])]);
  const plan: OldPlan = { pipeline: 'p', definition: 'd', definitionVersion: 1, params: {}, steps };
  await store.updateRun(runId, (run) => ({ ...run, plan }));
  expect(await start(store, async () => 'again')).toEqual({ ok: true, output: 'done' });
  const call = { runId, step: 'water', attempt: 1, input: {} };
  const outcome = await runStep(
    call,
    { store, steps: {}, services: null, codeVersion: 'test', clock: systemClock },
    silentLogger,
  );
  const error = {
    code: 'UNPROCESSABLE',
    retry: false,
    message: expect.stringMatching(/earlier version.*again/) as string,
  };
  expect(outcome).toMatchObject({ ok: false, error });
  expect(await store.getStep(runId, 'water')).toMatchObject({ status: 'failed', error });
});

test.each([
  [
    'an earlier build, with the remedy',
    '0.9.0',
    { code: 'UNPROCESSABLE', message: /earlier version.*again/ },
  ],
  ['this build, with the fault', 'test', { code: 'INVALID_ARGUMENT', message: /not valid at old/ }],
])('fails a step whose parameters this build refuses in a plan of %s', async (_, codeVersion, expected) => {
  const store = await createRun();
  const plan = planOf([{ ...stepOf('plant'), with: { old: 1 } }]);
  await store.updateRun(runId, (run) => ({ ...run, plan, codeVersion }));
  const outcome = await start(store, async () => 'done', { params: z.strictObject({}) });
  const { code, message } = expected;
  expect(outcome).toMatchObject({
    ok: false,
    error: { code, message: expect.stringMatching(message) as string },
  });
});

test('fails a step whose output does not fit its schema, without revealing the output', async () => {
  const store = await createRun();
  const outcome = await start(store, async () => ({ secret: 1 }), {
    output: z.object({ done: z.boolean() }),
  });
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: 'INTERNAL', message: expect.stringMatching(/something else than it declares/) as string },
  });
  expect(JSON.stringify(outcome)).not.toContain('secret');
});

async function createRun(documents = createDocuments()): Promise<RunStore> {
  const store = new RunStore({ store: documents, ...system });
  const run: Run = {
    runId,
    pipeline: 'p',
    plan: planOf([stepOf('plant')]),
    cause: {},
    codeVersion: 'test',
    status: 'pending',
    createdAt: 1,
  };
  await store.createRun(run);
  return store;
}

function start(
  store: RunStore,
  work: (context: StepContext<null>) => Promise<unknown>,
  options: {
    readonly attempt?: number;
    readonly params?: z.ZodType;
    readonly output?: z.ZodType;
    readonly clock?: Clock;
  } = {},
) {
  const { attempt = 1, params = z.any(), output = z.any(), clock = systemClock } = options;
  const plant: Step<null> = {
    description: 'Plants.',
    params,
    input: {},
    output,
    run: async (_, context) => await work(context),
  };
  const call: StepCall = { runId, step: 'plant', attempt, input: {} };
  const runner = { store, steps: { plant }, services: null, codeVersion: 'test', clock };
  return runStep(call, runner, silentLogger);
}

/** The store with one operation replaced. */
function withBroken(
  documents: MetadataStore,
  operation: 'get' | 'create' | 'replace',
  instead: (...args: unknown[]) => Promise<unknown>,
): MetadataStore {
  return new Proxy(documents, {
    get(target, name) {
      if (name === operation) return instead;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
