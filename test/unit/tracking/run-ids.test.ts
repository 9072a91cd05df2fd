import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import { systemIds } from '../../../shared/core/ids.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { runKey, runPointerKey } from '../../../shared/domains/tracking/documents.ts';
import { createRunId } from '../../../shared/domains/tracking/run-id.ts';
import { makeFlaky } from '../../support/documents/flaky-documents.ts';
import { createDocuments, metadataStores, system } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

const by = 'me';
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
  const runId = createRunId(experimentId, system);
  const missing = { code: 'NOT_FOUND', details: { reason: 'runMissing', runId } };
  await expect(runs.get(runId)).rejects.toMatchObject(missing);
  await expect(runs.delete(runId, by)).rejects.toMatchObject(missing);
  await expect(runs.setTag(runId, { key: 't', value: '1' }, by)).rejects.toMatchObject(missing);
});

/** Draws given UUIDs, then random ones, within one minute. Ids of events come from the same source. */
function openWithUuids(store: MetadataStore, uuids: (string | undefined)[]) {
  const draw = () => uuids.shift() ?? systemIds.uuid();
  const clock = { ...systemClock, now: () => Date.UTC(2026, 0, 1) };
  return openTracking(store, { clock, ids: { ...systemIds, uuid: draw } });
}

test('takes another id when the random digits are taken', async () => {
  const store = createDocuments();
  const taken = systemIds.uuid();
  await openTracking(store).experiments.ensureDefault();
  const first = await openWithUuids(store, [taken]).runs.create({ name: 'first' }, by);
  const second = await openWithUuids(store, [taken]).runs.create({ name: 'second' }, by);
  expect(first.info.runId.slice(4, 12)).toBe(taken.slice(0, 8));
  for (const run of [first, second]) expect(await openTracking(store).runs.get(run.info.runId)).toEqual(run);
});

test('gives up when every id is taken', async () => {
  const store = createDocuments();
  const taken = systemIds.uuid();
  await openTracking(store).experiments.ensureDefault();
  await openWithUuids(store, [taken]).runs.create({ name: 'n' }, by);
  // Each attempt draws the id of a run, then that of an event.
  const uuids = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? taken : undefined));
  await expect(openWithUuids(store, uuids).runs.create({ name: 'n' }, by)).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
  expect(uuids.length).toBeGreaterThan(20);
});

describe('a run whose id is given', () => {
  test('is in the experiment that the id contains', async () => {
    const store = createDocuments();
    const { runs, experiments } = openTracking(store);
    const { experimentId } = await experiments.create({ name: 'trials' }, by);
    const runId = createRunId(experimentId, system);
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
          const runId = kind === 'random' ? oldId() : createRunId('0', system);
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
      const runId = round % 2 === 0 ? oldId() : createRunId('0', system);
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
