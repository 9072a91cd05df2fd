import { describe, expect, it } from 'vitest';
import { systemIds } from '../../../shared/core/ids.ts';
import { runPointerKey } from '../../../shared/domains/tracking/documents.ts';
import { dayMs, openRetention } from '../../support/tracking/retention.ts';
import { metadataStores } from '../../support/stores.ts';

describe.each(metadataStores)('the trash on $name', ({ open }) => {
  const openWorld = async () => {
    const store = await open();
    const world = openRetention(store);
    const { tracking } = world;
    const { experimentId } = await tracking.experiments.create({ name: 'trials' }, 'me');
    return {
      ...world,
      store,
      experimentId,
      createRun: async (parent?: string) => {
        const tags = parent === undefined ? [] : [{ key: 'mlflow.parentRunId', value: parent }];
        const { info } = await tracking.runs.create({ experimentId, tags }, 'me');
        await world.put(`${experimentId}/${info.runId}/artifacts/model/MLmodel`);
        return info.runId;
      },
      createModel: async (sourceRunId?: string) => {
        const { modelId } = await tracking.loggedModels.create({ experimentId, sourceRunId }, 'me');
        await world.put(`${experimentId}/models/${modelId}/artifacts/MLmodel`);
        return modelId;
      },
      listAll: async () => {
        const items = [];
        let cursor: string | undefined;
        do {
          const page = await world.retention.list({ limit: 2, cursor });
          items.push(...page.items);
          ({ cursor } = page);
        } while (cursor !== undefined);
        return items;
      },
    };
  };

  it('lists the trash with due times, sizes and reasons to keep', async () => {
    const { tracking, createRun, createModel, listAll, register, pass, put, clock, experimentId } =
      await openWorld();
    const [free, linked, placed, parent] = [
      await createRun(),
      await createRun(),
      await createRun(),
      await createRun(),
    ];
    const child = await createRun(parent);
    const byUri = await createRun();
    const model = await createModel();
    const uriVersion = await register(`runs:/${byUri}/model`);
    const linkedVersion = await register('s3://elsewhere/m', { runId: linked });
    const placedVersion = await register(
      `http://host/api/2.0/mlflow-artifacts/artifacts/${experimentId}/${placed}/artifacts/model`,
    );
    await put('stray.txt');
    for (const runId of [free, linked, placed, parent, byUri]) await tracking.runs.delete(runId, 'me');
    await tracking.loggedModels.delete(model, 'me');
    const deletedAt = clock.now();
    pass(29 * dayMs);
    const items = await listAll();
    const version = (number: number) => [`Version ${number} of the model "m" needs it.`];
    const one = {
      deletedAt,
      dueAt: deletedAt + 30 * dayMs,
      files: 1,
      sizeBytes: 10,
      isPartial: false,
      goes: false,
    };
    const reasons = new Map(items.map(({ subject, keptBy }) => [subject.id, keptBy]));
    expect(reasons).toEqual(
      new Map([
        [free, []],
        [linked, version(linkedVersion)],
        [placed, version(placedVersion)],
        [byUri, version(uriVersion)],
        [parent, [`The run ${child} needs it.`]],
        [model, []],
        ['stray.txt', []],
      ]),
    );
    for (const item of items) expect(item).toMatchObject(one);
    pass(2 * dayMs);
    expect(
      (await listAll())
        .filter(({ goes }) => goes)
        .map(({ subject }) => subject.id)
        .sort(),
    ).toEqual([free, model, 'stray.txt'].sort());
  });

  it('purges what is due and nothing else, and reports it', async () => {
    const {
      tracking,
      retention,
      collect,
      createRun,
      createModel,
      register,
      pass,
      put,
      written,
      experimentId,
      store,
    } = await openWorld();
    const [old, young, needed, live] = [
      await createRun(),
      await createRun(),
      await createRun(),
      await createRun(),
    ];
    const model = await createModel(live);
    await register('s3://elsewhere/m', { runId: needed });
    await put(`${experimentId}/${'0'.repeat(32)}/artifacts/lost.bin`);
    await tracking.runs.delete(old, 'me');
    await tracking.runs.delete(needed, 'me');
    await tracking.loggedModels.delete(model, 'me');
    pass(31 * dayMs);
    await tracking.runs.delete(young, 'me');
    await put(`${experimentId}/by-hand/new.bin`);
    const collected = await collect();
    expect(collected.isDone).toBe(true);
    expect(collected.removed.map(({ id }) => id).sort()).toEqual(
      [old, model, `${experimentId}/${'0'.repeat(32)}`].sort(),
    );
    expect(collected.kept.map(({ subject }) => subject.id)).toEqual([needed]);
    expect([...written.keys()].sort()).toEqual(
      [
        ...[young, needed, live].map((id) => `${experimentId}/${id}/artifacts/model/MLmodel`),
        `${experimentId}/by-hand/new.bin`,
      ].sort(),
    );
    await expect(tracking.runs.get(old)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(tracking.runs.restore(old, 'me')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { documents } = await store.list({
      container: 'tracking',
      partition: experimentId,
      filter: { op: 'compare', test: 'eq', path: ['event', 'action'], value: 'run.purged' },
      limit: 10,
    });
    expect(documents.map(({ body }) => body['event'])).toMatchObject([
      { by: 'test', subject: { runId: old } },
    ]);
    expect((await collect()).removed).toEqual([]);
    await expect(retention.list({ limit: 1, cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('purges one object on request, unless it is live or needed', async () => {
    const { tracking, retention, createRun, createModel, register, written } = await openWorld();
    const [run, needed] = [await createRun(), await createRun()];
    const model = await createModel();
    await expect(retention.remove('run', run, 'me')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(retention.remove('loggedModel', model, 'me')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await tracking.runs.delete(run, 'me');
    await tracking.runs.delete(needed, 'me');
    await tracking.loggedModels.delete(model, 'me');
    await register('s3://elsewhere/m', { runId: needed });
    await expect(retention.remove('run', needed, 'me')).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      details: { keptBy: ['Version 1 of the model "m" needs it.'] },
    });
    await tracking.runs.restore(needed, 'me');
    await retention.remove('run', run, 'me');
    await retention.remove('loggedModel', model, 'me');
    expect([...written.keys()]).toEqual([expect.stringContaining(needed)]);
    for (const id of [run, 'no such', '../x', ''])
      await expect(retention.remove('run', id, 'me')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('purges a deleted experiment with its contents, and frees its name', async () => {
    const { tracking, retention, createRun, createModel, register, written, experimentId } =
      await openWorld();
    const runs = [await createRun(), await createRun()];
    const model = await createModel(runs[0]);
    const options = { by: 'me', deadline: Infinity };
    await expect(retention.removeExperiment(experimentId, options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(retention.removeExperiment('77', options)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await register(`mlflow-artifacts:/${experimentId}/models/${model}/artifacts`, { modelId: model });
    await tracking.experiments.delete(experimentId, 'me');
    const first = await retention.removeExperiment(experimentId, options);
    expect(first.removed.map(({ id }) => id).sort()).toEqual([...runs].sort());
    expect(first.kept.map(({ subject }) => subject.id)).toEqual([model, experimentId]);
    await tracking.experiments.restore(experimentId, 'me');
    expect((await tracking.loggedModels.get(model)).modelId).toBe(model);
    await tracking.experiments.delete(experimentId, 'me');
    const second = await retention.removeExperiment(experimentId, options);
    expect(second).toMatchObject({ removed: [], isDone: true });
    expect([...written.keys()]).toHaveLength(1);
    await tracking.experiments.create({ name: 'trials' }, 'me');
    await expect(tracking.experiments.restore(experimentId, 'me')).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  it('restores an object that becomes needed during its removal', async () => {
    const { tracking, retention, clock, createRun, register, written } = await openWorld();
    const run = await createRun();
    await tracking.runs.logMetric(run, { key: 'm', value: 1, step: 0, timestamp: 1 }, 'me');
    await tracking.runs.delete(run, 'me');
    const before = await tracking.runs.get(run);
    const { sleep } = clock;
    // A registration that looked the run up earlier continues here.
    clock.sleep = async (ms) => {
      clock.sleep = sleep;
      await expect(tracking.runs.get(run)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await register('s3://elsewhere/m', { runId: run });
      await sleep(ms);
    };
    await expect(retention.remove('run', run, 'me')).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect(await tracking.runs.get(run)).toEqual(before);
    expect(written.size).toBe(1);
    await tracking.runs.restore(run, 'me');
  });

  it('takes no folder for an orphan while the removal of its run can be undone', async () => {
    const { tracking, retention, collect, clock, createRun, register, pass, listAll, written } =
      await openWorld();
    const run = await createRun();
    await tracking.runs.delete(run, 'me');
    pass(31 * dayMs);
    const { sleep } = clock;
    clock.sleep = async (ms) => {
      clock.sleep = sleep;
      expect(await listAll()).toEqual([]);
      expect((await collect()).removed).toEqual([]);
      await register('s3://elsewhere/m', { runId: run });
      await sleep(ms);
    };
    await expect(retention.remove('run', run, 'me')).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect(written.size).toBe(1);
    expect((await listAll()).map(({ subject }) => subject.id)).toEqual([run]);
  });

  it('purges a run of an older version with its pointer', async () => {
    const { tracking, retention, store, experimentId, put, listAll, pass, written } = await openWorld();
    const runId = systemIds.uuid().replaceAll('-', '');
    await tracking.runs.create({ runId, experimentId }, 'me');
    await put(`${experimentId}/${runId}/artifacts/model/MLmodel`);
    expect(await store.get(runPointerKey(runId))).toMatchObject({ body: { experimentId } });
    pass(31 * dayMs);
    expect(await listAll()).toEqual([]);
    await tracking.runs.delete(runId, 'me');
    await retention.remove('run', runId, 'me');
    expect(await store.get(runPointerKey(runId))).toBeUndefined();
    expect(written.size).toBe(0);
  });
});
