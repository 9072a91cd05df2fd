import { describe, expect, test } from 'vitest';
import { systemIds } from '../../../shared/core/ids.ts';
import { runKey, runPointerKey } from '../../../shared/domains/tracking/documents.ts';
import { createRunId } from '../../../shared/domains/tracking/run-id.ts';
import { makeFlaky } from '../../support/documents/flaky-documents.ts';
import { createDocuments, metadataStores } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

const by = 'me';
const uuidOf = (digits: string) => digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const oldId = () => systemIds.uuid().replaceAll('-', '');

describe.each(metadataStores)('$name', ({ open }) => {
  test('a new run has no pointer, and any process finds it', async () => {
    const store = await open();
    const { runs, experiments } = openTracking(store);
    const { experimentId } = await experiments.create({ name: 'trials' }, by);
    for (const wanted of [{}, { experimentId }]) {
      const { info } = await runs.create(wanted, by);
      expect(await store.get(runPointerKey(info.runId))).toBeUndefined();
      const other = openTracking(store);
      await other.runs.logParam(info.runId, { key: 'p', value: '1' }, by);
      expect((await other.runs.get(info.runId)).info.experimentId).toBe(info.experimentId);
    }
  });

  test('a run of an older version is found by its pointer', async () => {
    const store = await open();
    const runId = oldId();
    await openTracking(store).runs.create({ runId }, by);
    expect(await store.get(runPointerKey(runId))).toMatchObject({ body: { experimentId: '0' } });
    const { runs } = openTracking(store);
    await runs.logMetric(runId, { key: 'm', value: 1, step: 0, timestamp: 1 }, by);
    expect((await runs.get(runId)).metrics.get('m')?.value).toBe(1);
  });
});

test.each(['0', '424242'])('an id of experiment %s without a run is missing', async (experimentId) => {
  const { runs, experiments } = openTracking(createDocuments());
  await experiments.ensureDefault();
  const runId = createRunId(experimentId, systemIds);
  const missing = { code: 'NOT_FOUND', details: { reason: 'runMissing', runId } };
  await expect(runs.get(runId)).rejects.toMatchObject(missing);
  await expect(runs.delete(runId, by)).rejects.toMatchObject(missing);
  await expect(runs.setTag(runId, { key: 't', value: '1' }, by)).rejects.toMatchObject(missing);
});

test('takes another id when the random digits are taken', async () => {
  const store = createDocuments();
  const repeated = systemIds.uuid();
  const drawn: string[] = [];
  // Ids of events come from the same source.
  const ids = (uuids: string[]) => ({ ...systemIds, uuid: () => uuids.shift() ?? systemIds.uuid() });
  const draw = (uuids: string[]) => openTracking(store, { ids: ids(uuids) }).runs.create({ name: 'n' }, by);
  await openTracking(store).experiments.ensureDefault();
  drawn.push((await draw([repeated])).info.runId, (await draw([repeated])).info.runId);
  expect(drawn[0]!.slice(0, 12)).toBe(repeated.replaceAll('-', '').slice(0, 12));
  expect(new Set(drawn).size).toBe(2);
  for (const runId of drawn) expect((await openTracking(store).runs.get(runId)).info.runId).toBe(runId);
});

test('gives up when every id is taken', async () => {
  const store = createDocuments();
  const { runs } = openTracking(store);
  const { info } = await runs.create({}, by);
  let calls = 0;
  const same = uuidOf(info.runId);
  const ids = { ...systemIds, uuid: () => ((calls += 1) % 2 === 1 ? same : systemIds.uuid()) };
  await expect(openTracking(store, { ids }).runs.create({}, by)).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
  expect(calls).toBeLessThan(10);
});

describe('a run whose id is given', () => {
  test('is in the experiment that the id contains', async () => {
    const store = createDocuments();
    const { runs, experiments } = openTracking(store);
    const { experimentId } = await experiments.create({ name: 'trials' }, by);
    const runId = createRunId(experimentId, systemIds);
    await expect(runs.create({ runId }, by)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { reason: 'runIdOfOtherExperiment', runId, experimentId: '0' },
    });
    expect((await runs.create({ runId, experimentId }, by)).info).toMatchObject({ runId, experimentId });
    expect(await store.get(runPointerKey(runId))).toBeUndefined();
    expect((await runs.create({ runId }, by)).info.experimentId).toBe(experimentId);
  });

  test.each(['random', 'containing the experiment'])(
    'is created once under an id %s, wherever earlier attempts broke off',
    async (kind) => {
      for (let failAt = 0; failAt < 12; failAt += 1)
        for (const fate of ['before', 'after'] as const) {
          const store = createDocuments();
          const steady = openTracking(store);
          await steady.experiments.ensureDefault();
          const runId = kind === 'random' ? oldId() : createRunId('0', systemIds);
          let countdown = failAt;
          const flaky = makeFlaky(store, () => ((countdown -= 1) === -1 ? fate : 'ok'));
          await openTracking(flaky)
            .runs.create({ runId, name: 'n' }, by)
            .catch((error: unknown) => expect(error).toMatchObject({ code: 'UNAVAILABLE' }));
          const again = await openTracking(store).runs.create({ runId, name: 'n' }, by);
          expect(await openTracking(store).runs.get(runId)).toEqual(again);
          const events = await store.list({
            container: 'tracking',
            filter: { op: 'compare', test: 'eq', path: ['event', 'action'], value: 'run.created' },
            limit: 10,
          });
          expect(events.documents).toHaveLength(1);
        }
    },
  );

  test('is the same for all who create it at once', async () => {
    const store = createDocuments();
    const steady = openTracking(store);
    await steady.experiments.ensureDefault();
    let turn = 0;
    const late = makeFlaky(store, () => ((turn = (turn * 3 + 2) % 7) < 3 ? 'late' : 'ok'));
    for (let round = 0; round < 20; round += 1) {
      const runId = round % 2 === 0 ? oldId() : createRunId('0', systemIds);
      const created = await Promise.all(
        [1, 2, 3, 4].map(() => openTracking(late).runs.create({ runId, name: 'n' }, by)),
      );
      const stored = await store.get(runKey('0', runId));
      expect(stored).toBeDefined();
      for (const { info } of created) expect(info).toEqual(created[0]!.info);
    }
  });

  test('is refused when a pointer leads to another experiment', async () => {
    const store = createDocuments();
    const { experiments, locator } = openTracking(store);
    const { experimentId } = await experiments.create({ name: 'trials' }, by);
    const runId = oldId();
    await locator.addRun(runId, experimentId);
    await expect(openTracking(store).runs.create({ runId }, by)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });
});
