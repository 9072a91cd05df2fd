import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../../shared/platform/audit/audit-log.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import { runKey } from '../../../shared/domains/tracking/documents.ts';
import type { RunBody } from '../../../shared/domains/tracking/documents.ts';
import { createDocuments, metadataStores } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

const by = 'me';

describe.each(metadataStores)('$name', ({ name, open }) => {
  test('32 writers of one run in two processes lose nothing', async () => {
    const store = await open();
    const processes = [openTracking(store), openTracking(store)] as const;
    const { info } = await processes[0].runs.create({ name: 'shared' }, by);
    const rounds = name === 'SQLite' ? 20 : 4;
    const writer = async (number: number) => {
      const { runs } = processes[number % 2]!;
      for (let round = 0; round < rounds; round += 1) {
        const step = number * rounds + round;
        await runs.logMetric(info.runId, { key: 'all', value: step, timestamp: 1_000 + step, step }, by);
        if (round % 5 === 0) await runs.logParam(info.runId, { key: `p${step}`, value: 'x' }, by);
        if (round % 7 === 0) await runs.setTag(info.runId, { key: `t${step}`, value: 'x' }, by);
      }
    };
    await Promise.all(Array.from({ length: 32 }, (_, number) => writer(number)));
    const run = await openTracking(store).runs.get(info.runId);
    const history = await Array.fromAsync(processes[1].runs.readMetricPoints(info.runId, 'all'));
    expect(history.flat().map(({ step }) => step)).toEqual(Array.from({ length: 32 * rounds }, (_, i) => i));
    expect(run.params.size).toBe(32 * Math.ceil(rounds / 5));
    expect(run.tags.size).toBe(1 + 32 * Math.ceil(rounds / 7));
    expect(run.metrics.get('all')?.step).toBe(32 * rounds - 1);
  });
});

test('merges waiting writers into few writes', async () => {
  const store = createDocuments();
  let writes = 0;
  const counting: MetadataStore = Object.assign(Object.create(store) as MetadataStore, {
    get: store.get.bind(store),
    list: store.list.bind(store),
    create: store.create.bind(store),
    batch: (...args: Parameters<MetadataStore['batch']>) => {
      writes += 1;
      return store.batch(...args);
    },
  });
  const { runs } = openTracking(counting);
  const { info } = await runs.create({ name: 'shared' }, by);
  writes = 0;
  await Promise.all(
    Array.from({ length: 40 }, (_, step) =>
      runs.logMetric(info.runId, { key: 'm', value: step, timestamp: step, step }, by),
    ),
  );
  expect(writes).toBeLessThanOrEqual(2);
  expect((await runs.getHistory(info.runId, 'm', { limit: 100 })).points).toHaveLength(40);
});

test('a refused change does not stop the others', async () => {
  const { runs } = openTracking(createDocuments());
  const { info } = await runs.create({ name: 'shared' }, by);
  await runs.logParam(info.runId, { key: 'p', value: '1' }, by);
  const outcomes = await Promise.allSettled([
    runs.setTag(info.runId, { key: 'a', value: '1' }, by),
    runs.logParam(info.runId, { key: 'p', value: '2' }, by),
    // Too large for a document.
    runs.change(info.runId, (draft) => draft.setLinks(links(3_000_000)), by),
    runs.setTag(info.runId, { key: 'b', value: '2' }, by),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  const run = await runs.get(info.runId);
  expect([...run.tags.keys()].sort()).toEqual(['a', 'b', 'mlflow.runName']);
  expect(run.params.get('p')).toBe('1');
});

const links = (sizeBytes: number) => ({
  datasetInputs: [
    { dataset: { name: 'd', digest: 'x', sourceType: 's', source: 'y'.repeat(sizeBytes) }, tags: [] },
  ],
  modelInputs: [],
  modelOutputs: [],
});

test('a batch too large for the run leaves nothing behind, not even points', async () => {
  const { runs } = openTracking(createDocuments());
  const { info } = await runs.create({ name: 'full' }, by);
  const params = (start: number) =>
    Array.from({ length: 100 }, (_, i) => ({ key: `p${start + i}`, value: '漢'.repeat(6_000) }));
  await runs.logBatch(info.runId, { metrics: [], tags: [], params: params(0) }, by);
  const metrics = Array.from({ length: 900 }, (_, step) => ({
    key: 'm',
    value: step,
    timestamp: step,
    step,
  }));
  const refused = runs.logBatch(info.runId, { metrics, tags: [], params: params(100) }, by);
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect((await runs.getHistory(info.runId, 'm', { limit: 10 })).points).toEqual([]);
  expect((await runs.get(info.runId)).params.size).toBe(100);
});

test('truncates long values as MLflow does, never within a character', async () => {
  const { runs } = openTracking(createDocuments());
  const { info } = await runs.create({ name: 'long' }, by);
  await runs.logParam(info.runId, { key: 'p', value: '😀'.repeat(6_001) }, by);
  await runs.setTag(info.runId, { key: 't', value: `${'x'.repeat(7_999)}😀y` }, by);
  const run = await runs.get(info.runId);
  expect(run.params.get('p')).toBe('😀'.repeat(6_000));
  expect(run.tags.get('t')).toBe(`${'x'.repeat(7_999)}😀`);
  // Again, as a retry: the cut value is the same value.
  await runs.logParam(info.runId, { key: 'p', value: '😀'.repeat(6_001) }, by);
});

test('a finished run keeps its last few points in its document', async () => {
  const store = createDocuments();
  const { runs } = openTracking(store);
  const { info } = await runs.create({ name: 'done' }, by);
  for (let step = 0; step < 30; step += 1)
    await runs.logMetric(info.runId, { key: 'm', value: step, timestamp: step, step }, by);
  await runs.update(info.runId, { status: 'FINISHED', endTime: 99 }, by);
  const stored = await store.get<RunBody>(runKey(info.experimentId, info.runId));
  expect(stored?.body.points.tail).toEqual([]);
  expect(stored?.body.running).toBeUndefined();
  expect((await runs.getHistory(info.runId, 'm', { limit: 100 })).points).toHaveLength(30);
});

test('an update records only what it changed', async () => {
  const store = createDocuments();
  const { runs } = openTracking(store);
  const { info } = await runs.create({ name: 'first' }, by);
  const update = (change: Parameters<typeof runs.update>[1]) => runs.update(info.runId, change, by);
  await update({ status: 'FINISHED', endTime: 9, name: 'first' });
  await update({ status: 'FINISHED', endTime: 9, name: 'first' });
  await update({ name: 'second' });
  await runs.deleteTag(info.runId, 'mlflow.runName', by);
  await update({ name: 'second', status: 'FAILED' });
  const { items } = await new AuditLog(store).list({ runId: info.runId }, { limit: 20 });
  const changes = items.map(({ action, before, after }) => JSON.stringify([action, before, after]));
  // Two changes in one millisecond have no order.
  expect(changes.sort()).toEqual([
    '["run.created",null,{"name":"first","tags":{"mlflow.runName":"first"}}]',
    '["run.tags.deleted",{"mlflow.runName":"second"},null]',
    '["run.tags.set",{"mlflow.runName":null},{"mlflow.runName":"second"}]',
    '["run.updated",{"name":"first"},{"name":"second"}]',
    '["run.updated",{"status":"FINISHED"},{"status":"FAILED"}]',
    '["run.updated",{"status":"RUNNING","endTime":null},{"status":"FINISHED","endTime":9}]',
  ]);
});

test('pages of a history stay stable while points are written', async () => {
  const { runs } = openTracking(createDocuments());
  const { info } = await runs.create({ name: 'pages' }, by);
  const log = (from: number, count: number) =>
    runs.logBatch(
      info.runId,
      {
        metrics: Array.from({ length: count }, (_, i) => ({
          key: 'm',
          value: from + i,
          timestamp: from + i,
          step: 0,
        })),
        params: [],
        tags: [],
      },
      by,
    );
  for (let from = 0; from < 3_000; from += 60) await log(from, 60);
  const seen: number[] = [];
  let pageToken: string | undefined;
  do {
    const page = await runs.getHistory(info.runId, 'm', { limit: 250, pageToken });
    seen.push(...page.points.map(({ value }) => value));
    pageToken = page.pageToken;
    // Concurrent writes move the tail into chunks.
    await log(10_000 + seen.length, 50);
  } while (pageToken !== undefined);
  expect(seen.filter((value) => value < 3_000)).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
  expect(new Set(seen).size).toBe(seen.length);
});

test('reads many points of one time page by page, completely', async () => {
  const { runs } = openTracking(createDocuments());
  const { info } = await runs.create({ name: 'same time' }, by);
  for (let batch = 0; batch < 25; batch += 1)
    await runs.logBatch(
      info.runId,
      {
        metrics: Array.from({ length: 1_000 }, (_, i) => ({
          key: 'm',
          value: batch * 1_000 + i,
          timestamp: 7,
          step: (i * 7_919 + batch) % 1_000,
        })),
        params: [],
        tags: [],
      },
      by,
    );
  const pages = await Array.fromAsync(runs.readMetricPoints(info.runId, 'm'));
  expect(pages.flat()).toHaveLength(25_000);
  const seen = [];
  let pageToken: string | undefined;
  do {
    const page = await runs.getHistory(info.runId, 'm', { limit: 4_000, pageToken });
    seen.push(...page.points);
    pageToken = page.pageToken;
  } while (pageToken !== undefined);
  expect(seen).toEqual(pages.flat());
});

test.each(['', 'nonsense', 'WzEsMl0', 'WzEsMiwieCJd'])('refuses the page token %j', async (pageToken) => {
  const { runs } = openTracking(createDocuments());
  const { info } = await runs.create({ name: 'n' }, by);
  const read = runs.getHistory(info.runId, 'm', { limit: 1, pageToken });
  await expect(read).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
