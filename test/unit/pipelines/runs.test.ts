import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import { silentLogger } from '../../../shared/core/logger.ts';
import type { StepCall } from '../../../shared/domains/pipelines/orchestrate.ts';
import type { Plan } from '../../../shared/domains/pipelines/plan.ts';
import { runStep } from '../../../shared/domains/pipelines/run-step.ts';
import type { Step } from '../../../shared/domains/pipelines/step.ts';
import { planOf, stepOf } from '../../support/pipelines/plans.ts';
import { createPipelineBench, type PipelineBench } from '../../support/pipelines/bench.ts';
import { metadataStores } from '../../support/stores.ts';

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

let bench: PipelineBench;

describe.each(metadataStores)('pipelines on $name', ({ open }) => {
  beforeEach(async () => {
    bench = createPipelineBench(await open(), catalog);
  });

  describe('declaring a pipeline', () => {
    test('checks the definition and the parameters of every step', async () => {
      await expect(
        bench.declarations.put('p', { ...body, definition: 'shrink' }, 'ada'),
      ).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { faults: [{ at: 'definition', known: ['grow'] }] },
      });
      await expect(
        bench.declarations.put('p', { ...body, params: { depth: 'deep' } }, 'ada'),
      ).rejects.toThrow(/at params\.depth: .*number/);
      await expect(bench.declarations.get('p')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('does not find names of the prototype', async () => {
      await expect(
        bench.declarations.put('p', { ...body, definition: 'constructor' }, 'ada'),
      ).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    });
  });

  test('shows a definition stored by an earlier build with its faults', async () => {
    const old = { ...body, params: { depth: 2, gone: true }, name: 'b', updatedAt: 1, updatedBy: 'ada' };
    await bench.store.putPipeline(old);
    expect(await bench.declarations.get('b')).toEqual({
      ...old,
      faults: [expect.objectContaining({ at: 'params.gone' })],
    });
    expect((await bench.declarations.list({ limit: 10 })).items).toMatchObject([
      { faults: [{ at: 'params.gone' }] },
    ]);
    const { steps } = planOf([stepOf('plant')]);
    const plan = { pipeline: 'b', definition: 'gone', definitionVersion: 1, params: { depth: 1 }, steps };
    const run = { pipeline: 'b', cause: {}, codeVersion: 'old', status: 'running', createdAt: 1 } as const;
    await bench.store.createRun({ ...run, runId: 'old', plan });
    expect(await bench.runs.get('old')).toMatchObject({
      definition: 'gone',
      params: { depth: 1 },
      steps: [{ step: 'plant', status: 'waiting' }],
    });
  });

  describe('a dataset version', () => {
    test('starts each triggered pipeline once, however often the event is delivered', async () => {
      await bench.declarations.put('a', body, 'ada');
      await bench.declarations.put('b', body, 'ada');
      await bench.declarations.put('other', { ...body, on: { dataset: 'weeds' } }, 'ada');
      await bench.triggers.onDatasetVersion(event, silentLogger);
      await bench.triggers.onDatasetVersion(event, silentLogger);
      await bench.deliver();
      const started = await bench.started();
      expect(started.map(({ pipeline }) => pipeline).sort()).toEqual(['a', 'b']);
      expect(started[0]?.plan).toMatchObject({
        definitionVersion: 3,
        params: { depth: 2, dataset: 'seeds', version: 4 },
      });
    });

    test('with other parameters is another run', async () => {
      await bench.declarations.put('a', body, 'ada');
      await bench.triggers.onDatasetVersion(event, silentLogger);
      await bench.declarations.put('a', { ...body, params: { depth: 3 } }, 'ada');
      await bench.triggers.onDatasetVersion(event, silentLogger);
      await bench.deliver();
      expect(bench.engine.started).toHaveLength(2);
    });
  });

  describe('cancelling', () => {
    test('ends a run permanently; a late finish does not revive it', async () => {
      await bench.declarations.put('a', body, 'ada');
      const [run] = await bench.triggers.onDatasetVersion(event, silentLogger);
      const runId = run?.runId ?? '';
      await bench.deliver();
      await bench.runs.cancel(runId, 'ada');
      await bench.deliver();
      await bench.runs.finish(runId, { status: 'succeeded', outputs: {} });
      expect(await bench.runs.get(runId)).toMatchObject({ status: 'cancelled' });
      expect(bench.engine.terminated).toEqual([runId]);
    });

    test('repeats only the message the second time', async () => {
      await bench.declarations.put('a', body, 'ada');
      const [run] = await bench.triggers.onDatasetVersion(event, silentLogger);
      const runId = run?.runId ?? '';
      await bench.deliver();
      await bench.runs.cancel(runId, 'ada');
      await bench.deliver();
      const cancelled = await bench.store.getRun(runId);
      await bench.runs.cancel(runId, 'grace');
      await bench.deliver();
      expect(await bench.store.getRun(runId)).toEqual(cancelled);
      expect(bench.engine.terminated).toEqual([runId, runId]);
    });

    test('is refused for a run that has already ended', async () => {
      await bench.declarations.put('a', body, 'ada');
      const [run] = await bench.triggers.onDatasetVersion(event, silentLogger);
      const runId = run?.runId ?? '';
      await bench.runs.finish(runId, { status: 'succeeded', outputs: {} });
      await expect(bench.runs.cancel(runId, 'ada')).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
    });

    test('reaches a step that is running', async () => {
      await bench.declarations.put('a', body, 'ada');
      const [run] = await bench.triggers.onDatasetVersion(event, silentLogger);
      const call = callOf(run?.runId ?? '');
      const outcome = runWith(
        call,
        ({ signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      );
      await bench.runs.cancel(call.runId, 'ada');
      expect(await outcome).toMatchObject({ ok: false, error: { code: 'CANCELLED', retry: false } });
    });
  });

  describe('a step', () => {
    test('that succeeded returns its stored output instead of running again', async () => {
      const call = await started();
      let done = 0;
      const work = async () => ({ done: (done += 1) });
      expect(await runWith(call, work)).toEqual({ ok: true, output: { done: 1 } });
      expect(await runWith(call, work)).toEqual({ ok: true, output: { done: 1 } });
    });

    test.each([
      [new AppError('UNPROCESSABLE', 'corrupt'), { code: 'UNPROCESSABLE', retry: false }],
      [new AppError('UNAVAILABLE', 'down'), { code: 'UNAVAILABLE', retry: true }],
      [new Error('secret detail'), { code: 'INTERNAL', retry: true }],
    ])('that fails with %s says whether a retry can help', async (error, expected) => {
      const call = await started();
      const outcome = await runWith(call, async () => {
        throw error;
      });
      expect(outcome).toMatchObject({ ok: false, error: expected });
      expect(JSON.stringify(outcome)).not.toContain('secret detail');
      expect(await bench.store.getStep(call.runId, call.step)).toMatchObject({
        status: 'failed',
        error: expected,
      });
    });

    test('with an output too large for the history fails with that reason', async () => {
      const call = await started();
      const outcome = await runWith(call, async () => 'x'.repeat(9_000));
      expect(outcome).toMatchObject({
        ok: false,
        error: { message: expect.stringMatching(/blob reference/) as string },
      });
    });

    test('reports its progress', async () => {
      const call = await started();
      let finish: () => void = () => {};
      const outcome = runWith(call, ({ report }) => {
        report(0.5, 'half way');
        const { promise, resolve } = Promise.withResolvers<null>();
        finish = () => resolve(null);
        return promise;
      });
      await expect
        .poll(async () => (await bench.store.getStep(call.runId, call.step))?.progress)
        .toMatchObject({ fraction: 0.5, message: 'half way' });
      finish();
      expect(await outcome).toEqual({ ok: true, output: null });
    });

    test('unknown to this build fails without a retry', async () => {
      const call = await started();
      await bench.store.updateRun(call.runId, ({ plan, ...run }) => ({
        ...run,
        plan: planOf((plan as Plan).steps.map((step) => ({ ...step, uses: 'toString' }))),
      }));
      const outcome = await runWith(call, async () => null);
      expect(outcome).toMatchObject({ ok: false, error: { code: 'UNPROCESSABLE' } });
    });
  });

  test('logs a pipeline whose definition was removed, and starts the others', async () => {
    await bench.declarations.put('a', body, 'ada');
    await bench.declarations.put('c', body, 'ada');
    await bench.store.putPipeline({ ...body, name: 'b', definition: 'gone', updatedAt: 1, updatedBy: 'ada' });
    const logged: unknown[] = [];
    const logger = {
      log: (level: string, _: string, fields?: object) => void logged.push({ level, ...fields }),
    };
    const runs = await bench.triggers.onDatasetVersion(event, logger);
    expect(runs.map((run) => run.pipeline)).toEqual(['a', 'c']);
    expect(logged).toMatchObject([{ level: 'error', pipeline: 'b', code: 'INVALID_ARGUMENT' }]);
    bench.latest.set('seeds', 5);
    await bench.triggers.reconcile(logger);
    await bench.deliver();
    expect((await bench.started()).map(({ plan }) => [plan.pipeline, plan.params['version']])).toEqual([
      ['a', 4],
      ['c', 4],
      ['a', 5],
      ['c', 5],
    ]);
  });

  test('starts the other pipelines during an outage of one, and requests another delivery', async () => {
    await bench.declarations.put('a', body, 'ada');
    await bench.declarations.put('b', body, 'ada');
    bench.sendFailures.push(new AppError('UNAVAILABLE', 'down'));
    await expect(bench.triggers.onDatasetVersion(event, silentLogger)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await bench.deliver();
    expect((await bench.started()).map(({ pipeline }) => pipeline)).toEqual(['b']);
  });

  test('marks a superseded run as superseded, not as failed', async () => {
    await bench.declarations.put('a', body, 'ada');
    const [run] = await bench.triggers.onDatasetVersion(event, silentLogger);
    const error = { step: 'plant', code: 'SUPERSEDED', message: 'overwritten', retry: false };
    await bench.runs.finish(run?.runId ?? '', { status: 'failed', outputs: {}, error });
    expect(await bench.runs.get(run?.runId ?? '')).toMatchObject({ status: 'superseded', error });
  });
});

async function started() {
  await bench.declarations.put('a', body, 'ada');
  const [run] = await bench.triggers.onDatasetVersion(event, silentLogger);
  return callOf(run?.runId ?? '');
}

function callOf(runId: string): StepCall {
  return {
    runId,
    step: 'plant',
    attempt: 1,
    input: {},
  };
}

function runWith(call: StepCall, work: (context: Parameters<Step<null>['run']>[1]) => Promise<unknown>) {
  const { store } = bench;
  const step: Step<null> = { ...plant, run: async (_, context) => await work(context) };
  return runStep(
    call,
    { store, steps: { plant: step }, services: null, codeVersion: 'test', clock: systemClock },
    silentLogger,
  );
}
