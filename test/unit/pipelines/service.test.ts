import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { StepCall } from '../../../shared/domains/pipelines/orchestrate.ts';
import type { Plan } from '../../../shared/domains/pipelines/plan.ts';
import { RunStore } from '../../../shared/domains/pipelines/run-store.ts';
import { runStep } from '../../../shared/domains/pipelines/run-step.ts';
import { PipelineService } from '../../../shared/domains/pipelines/service.ts';
import type { Step } from '../../../shared/domains/pipelines/step.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { planOf, stepOf } from '../../support/pipelines/plans.ts';
import { metadataStores, pace, RecordingEngine } from '../../support/stores.ts';

const params = z.strictObject({ dataset: z.string(), version: z.int().optional(), depth: z.int() });
const plant: Step<null> = {
  description: 'Plants.',
  params: z.strictObject({ depth: z.int() }),
  input: {},
  output: z.unknown(),
  run: async () => null,
};
const catalog = {
  steps: { plant },
  definitions: {
    grow: {
      description: 'Grows.',
      version: 3,
      params,
      steps: [{ name: 'plant', uses: 'plant', with: { depth: '${{ params.depth }}' } }],
    },
  },
};
const body = { definition: 'grow', on: { dataset: 'seeds' }, params: { depth: 2 } };
const event = { type: 'dataset.version.created', dataset: 'seeds', version: 4 } as const;

let documents: MetadataStore;

describe.each(metadataStores)('pipelines on $name', ({ open }) => {
  beforeEach(async () => {
    documents = await open();
  });

  describe('declaring a pipeline', () => {
    test('checks the definition and the parameters of every step', async () => {
      const { service } = create();
      await expect(service.put('p', { ...body, definition: 'shrink' }, 'ada')).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { faults: [{ at: 'definition', known: ['grow'] }] },
      });
      await expect(service.put('p', { ...body, params: { depth: 'deep' } }, 'ada')).rejects.toThrow(
        /at params\.depth: .*number/,
      );
      await expect(service.get('p')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('names of the prototype are no definitions', async () => {
      const { service } = create();
      await expect(service.put('p', { ...body, definition: 'constructor' }, 'ada')).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    });
  });

  test('what an earlier build stored is shown, with what is wrong with it', async () => {
    const { service, store } = create();
    const old = { ...body, params: { depth: 2, gone: true }, name: 'b', updatedAt: 1, updatedBy: 'ada' };
    await store.putPipeline(old);
    expect(await service.get('b')).toEqual({
      ...old,
      faults: [expect.objectContaining({ at: 'params.gone' })],
    });
    expect((await service.list({ limit: 10 })).items).toMatchObject([{ faults: [{ at: 'params.gone' }] }]);
    const { steps } = planOf([stepOf('plant')]);
    const plan = { pipeline: 'b', definition: 'gone', definitionVersion: 1, params: { depth: 1 }, steps };
    const run = { pipeline: 'b', cause: {}, codeVersion: 'old', status: 'running', createdAt: 1 } as const;
    await store.createRun({ ...run, runId: 'old', plan });
    expect(await service.getRun('old')).toMatchObject({
      definition: 'gone',
      params: { depth: 1 },
      steps: [{ step: 'plant', status: 'waiting' }],
    });
  });

  describe('a dataset version', () => {
    test('starts each pipeline that waits for it, once, however often it is told', async () => {
      const { service, engine } = create();
      await service.put('a', body, 'ada');
      await service.put('b', body, 'ada');
      await service.put('other', { ...body, on: { dataset: 'weeds' } }, 'ada');
      await service.onDatasetVersion(engine, event, silentLogger);
      await service.onDatasetVersion(engine, event, silentLogger);
      expect(engine.started.map(({ plan }) => plan.pipeline).sort()).toEqual(['a', 'b']);
      expect(engine.started[0]?.plan).toMatchObject({
        definitionVersion: 3,
        params: { depth: 2, dataset: 'seeds', version: 4 },
      });
    });

    test('whose start was cut off is started by the next telling, or by the timer', async () => {
      const { service, engine } = create();
      await service.put('a', body, 'ada');
      const broken = new RecordingEngine();
      broken.start = () => Promise.reject(new AppError('UNAVAILABLE', 'the hub is away'));
      await expect(service.onDatasetVersion(broken, event, silentLogger)).rejects.toThrow('the hub is away');
      expect((await service.listRuns({ limit: 10 })).items).toMatchObject([{ status: 'pending' }]);
      await service.reconcile(engine, async (dataset) => (dataset === 'seeds' ? 4 : undefined), silentLogger);
      expect(engine.started).toHaveLength(1);
      expect((await service.listRuns({ limit: 10 })).items).toHaveLength(1);
    });

    test('a run by hand that never reached the engine is started by the timer, once it has waited a minute', async () => {
      const { service, engine, store } = create();
      const run = {
        pipeline: 'a',
        plan: planOf([stepOf('plant')]),
        cause: {},
        codeVersion: 'test',
        status: 'pending',
      } as const;
      const now = systemClock.now();
      await store.createRun({ ...run, runId: 'a.by-hand.old', createdAt: now - 61_000 });
      await store.createRun({ ...run, runId: 'a.by-hand.new', createdAt: now });
      await service.reconcile(engine, async () => undefined, silentLogger);
      expect(engine.started.map(({ runId }) => runId)).toEqual(['a.by-hand.old']);
    });

    test('with other parameters is another run', async () => {
      const { service, engine } = create();
      await service.put('a', body, 'ada');
      await service.onDatasetVersion(engine, event, silentLogger);
      await service.put('a', { ...body, params: { depth: 3 } }, 'ada');
      await service.onDatasetVersion(engine, event, silentLogger);
      expect(engine.started).toHaveLength(2);
    });
  });

  describe('cancelling', () => {
    test('ends a run for good; a late finish does not revive it', async () => {
      const { service, engine } = create();
      await service.put('a', body, 'ada');
      const [run] = await service.onDatasetVersion(engine, event, silentLogger);
      const runId = run?.runId ?? '';
      await service.cancel(engine, runId, 'ada');
      await service.finish(runId, { status: 'succeeded', outputs: {} });
      expect(await service.getRun(runId)).toMatchObject({ status: 'cancelled' });
      expect(engine.terminated).toEqual([runId]);
    });

    test('a run that has ended is refused', async () => {
      const { service, engine } = create();
      await service.put('a', body, 'ada');
      const [run] = await service.onDatasetVersion(engine, event, silentLogger);
      const runId = run?.runId ?? '';
      await service.finish(runId, { status: 'succeeded', outputs: {} });
      await expect(service.cancel(engine, runId, 'ada')).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
    });

    test('reaches a step that is running', async () => {
      const { service, engine, store } = create();
      await service.put('a', body, 'ada');
      const [run] = await service.onDatasetVersion(engine, event, silentLogger);
      const call = callOf(run?.runId ?? '');
      const outcome = runWith(
        store,
        call,
        ({ signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      );
      await service.cancel(engine, call.runId, 'ada');
      expect(await outcome).toMatchObject({ ok: false, error: { code: 'CANCELLED', retry: false } });
    });
  });

  describe('a step', () => {
    test('that succeeded is not done again: its stored output is the answer', async () => {
      const { store, call } = await started();
      let done = 0;
      const work = async () => ({ done: (done += 1) });
      expect(await runWith(store, call, work)).toEqual({ ok: true, output: { done: 1 } });
      expect(await runWith(store, call, work)).toEqual({ ok: true, output: { done: 1 } });
    });

    test.each([
      [new AppError('UNPROCESSABLE', 'corrupt'), { code: 'UNPROCESSABLE', retry: false }],
      [new AppError('UNAVAILABLE', 'away'), { code: 'UNAVAILABLE', retry: true }],
      [new Error('secret detail'), { code: 'INTERNAL', retry: true }],
    ])('that fails with %s tells whether to try again', async (error, expected) => {
      const { store, call } = await started();
      const outcome = await runWith(store, call, async () => {
        throw error;
      });
      expect(outcome).toMatchObject({ ok: false, error: expected });
      expect(JSON.stringify(outcome)).not.toContain('secret detail');
      expect(await store.getStep(call.runId, call.step)).toMatchObject({ status: 'failed', error: expected });
    });

    test('with an output too large for the history fails and says so', async () => {
      const { store, call } = await started();
      const outcome = await runWith(store, call, async () => 'x'.repeat(9_000));
      expect(outcome).toMatchObject({
        ok: false,
        error: { message: expect.stringMatching(/blob reference/) as string },
      });
    });

    test('shows its progress while it runs', async () => {
      const { store, call } = await started();
      let finish: () => void = () => {};
      const outcome = runWith(store, call, ({ report }) => {
        report(0.5, 'half way');
        const { promise, resolve } = Promise.withResolvers<null>();
        finish = () => resolve(null);
        return promise;
      });
      await expect
        .poll(async () => (await store.getStep(call.runId, call.step))?.progress)
        .toMatchObject({ fraction: 0.5, message: 'half way' });
      finish();
      expect(await outcome).toEqual({ ok: true, output: null });
    });

    test('that this build does not have fails without a retry', async () => {
      const { store, call } = await started();
      await store.updateRun(call.runId, ({ plan, ...run }) => ({
        ...run,
        plan: planOf((plan as Plan).steps.map((step) => ({ ...step, uses: 'toString' }))),
      }));
      const outcome = await runWith(store, call, async () => null);
      expect(outcome).toMatchObject({ ok: false, error: { code: 'UNPROCESSABLE' } });
    });
  });

  test('a pipeline whose definition was removed does not hold up the others, and is told in the log', async () => {
    const { service, engine, store } = create();
    await service.put('a', body, 'ada');
    await service.put('c', body, 'ada');
    await store.putPipeline({ ...body, name: 'b', definition: 'gone', updatedAt: 1, updatedBy: 'ada' });
    const told: unknown[] = [];
    const logger = {
      log: (level: string, _: string, fields?: object) => void told.push({ level, ...fields }),
    };
    const runs = await service.onDatasetVersion(engine, event, logger);
    expect(runs.map((run) => run.pipeline)).toEqual(['a', 'c']);
    expect(told).toMatchObject([{ level: 'error', pipeline: 'b', code: 'INVALID_ARGUMENT' }]);
    await service.reconcile(engine, async () => 5, logger);
    expect(engine.started.map(({ plan }) => [plan.pipeline, plan.params['version']])).toEqual([
      ['a', 4],
      ['c', 4],
      ['a', 5],
      ['c', 5],
    ]);
  });

  test('an outage while one pipeline starts does not keep the next from starting, and is told again', async () => {
    const { service } = create();
    await service.put('a', body, 'ada');
    await service.put('b', body, 'ada');
    const engine = new RecordingEngine();
    const start = engine.start.bind(engine);
    engine.start = (runId, plan) =>
      plan.pipeline === 'a' ? Promise.reject(new AppError('UNAVAILABLE', 'away')) : start(runId, plan);
    await expect(service.onDatasetVersion(engine, event)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(engine.started.map(({ plan }) => plan.pipeline)).toEqual(['b']);
  });

  test('a run that was superseded says so, not that it failed', async () => {
    const { service, engine } = create();
    await service.put('a', body, 'ada');
    const [run] = await service.onDatasetVersion(engine, event);
    const error = { step: 'plant', code: 'SUPERSEDED', message: 'overwritten', retry: false };
    await service.finish(run?.runId ?? '', { status: 'failed', outputs: {}, error });
    expect(await service.getRun(run?.runId ?? '')).toMatchObject({ status: 'superseded', error });
  });
});

function create() {
  const store = new RunStore(documents, pace);
  const engine = new RecordingEngine();
  const service = new PipelineService({
    store,
    catalog,
    codeVersion: '1.0.0+abc',
    clock: systemClock,
  });
  return { store, engine, service };
}

async function started() {
  const { service, engine, store } = create();
  await service.put('a', body, 'ada');
  const [run] = await service.onDatasetVersion(engine, event, silentLogger);
  return { store, call: callOf(run?.runId ?? '') };
}

function callOf(runId: string): StepCall {
  return {
    runId,
    step: 'plant',
    attempt: 1,
    input: {},
  };
}

function runWith(
  store: RunStore,
  call: StepCall,
  work: (context: Parameters<Step<null>['run']>[1]) => Promise<unknown>,
) {
  const step: Step<null> = { ...plant, run: async (_, context) => await work(context) };
  return runStep(
    call,
    { store, steps: { plant: step }, services: null, codeVersion: 'test', clock: systemClock },
    silentLogger,
  );
}
