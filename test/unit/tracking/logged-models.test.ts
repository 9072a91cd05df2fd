import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { metadataContainers } from '../../../shared/core/names/resources.ts';
import type { MetadataStore } from '../../../shared/platform/storage/documents.ts';
import type {
  DatasetFilter,
  MeasuredMetric,
  ModelMetric,
} from '../../../shared/domains/tracking/logged-models/entities.ts';
import { mergeMetrics } from '../../../shared/domains/tracking/logged-models/rules.ts';
import type { LoggedModelSearch } from '../../../shared/domains/tracking/logged-models/search.ts';
import type { Tracking } from '../../../shared/domains/tracking/tracking.ts';
import { metadataStores } from '../../support/stores.ts';
import { openTracking } from '../../support/tracking/tracking.ts';

async function readEvents(store: MetadataStore, partition: string): Promise<readonly string[]> {
  const { documents } = await store.list<{ event: { action: string } }>({
    container: metadataContainers.tracking,
    partition,
    filter: { op: 'compare', test: 'eq', path: ['kind'], value: 'event' },
    limit: 1_000,
  });
  // Those of one millisecond have no order.
  return documents
    .map(({ body }) => body.event.action)
    .filter((action) => action.startsWith('loggedModel'))
    .sort();
}

describe.each(metadataStores)('logged models on $name', ({ open }) => {
  let store: MetadataStore;
  let tracking: Tracking;
  let experimentId: string;

  beforeEach(async () => {
    store = await open();
    tracking = openTracking(store);
    ({ experimentId } = await tracking.experiments.create({ name: 'models' }, 'ann'));
  });

  const create = (name: string) => tracking.loggedModels.create({ experimentId, name }, 'ann');

  test('a model is pending until it is finalized, and keeps its initial members', async () => {
    const { loggedModels } = tracking;
    const params = [{ key: '__proto__', value: 'x' }];
    const model = await loggedModels.create(
      {
        experimentId,
        name: 'm',
        modelType: 'sklearn',
        sourceRunId: '123',
        params,
        tags: [{ key: 'k', value: '' }],
      },
      'ann',
    );
    expect(model.modelId).toMatch(/^m-[0-9a-f]{32}$/);
    expect(model.artifactLocation).toBe(
      `mlflow-artifacts:/${experimentId}/models/${model.modelId}/artifacts`,
    );
    expect(await loggedModels.get(model.modelId)).toEqual(model);
    expect(model).toMatchObject({ status: 'PENDING', modelType: 'sklearn', sourceRunId: '123' });
    expect([...model.params]).toEqual([['__proto__', 'x']]);
    await loggedModels.finalize(model.modelId, 'READY', 'ann');
    await loggedModels.finalize(model.modelId, 'READY', 'ann');
    expect((await loggedModels.get(model.modelId)).status).toBe('READY');
    expect(await readEvents(store, experimentId)).toEqual([
      'loggedModel.created',
      'loggedModel.status.changed',
    ]);
  });

  test.each(['', 'a/b', 'a:b', 'a.b', 'a%b', 'a"b', "a'b", `${'long'.repeat(125)}s`])(
    'refuses the name %s',
    async (name) => {
      await expect(create(name)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(
        (await tracking.loggedModels.search({ experimentIds: [experimentId], limit: 10 })).items,
      ).toEqual([]);
    },
  );

  test('hides a deleted model by default, and deletes it again without error', async () => {
    const { loggedModels } = tracking;
    const { modelId } = await create('m');
    await loggedModels.delete(modelId, 'bob');
    await loggedModels.delete(modelId, 'bob');
    await expect(loggedModels.get(modelId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(loggedModels.setTags(modelId, [], 'bob')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await loggedModels.get(modelId, { withDeleted: true })).toMatchObject({
      lifecycleStage: 'deleted',
    });
    expect((await loggedModels.search({ experimentIds: [experimentId], limit: 10 })).items).toEqual([]);
    expect(await readEvents(store, experimentId)).toEqual(['loggedModel.created', 'loggedModel.deleted']);
  });

  test('creates no models in missing or deleted experiments', async () => {
    await expect(tracking.loggedModels.create({ experimentId: '77' }, 'ann')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await tracking.experiments.delete(experimentId, 'ann');
    await expect(create('m')).rejects.toMatchObject({
      details: { reason: 'experimentDeleted', experimentId },
    });
  });

  test('tags are set, changed and deleted; params are written once', async () => {
    const { loggedModels } = tracking;
    const { modelId } = await create('m');
    await loggedModels.setTags(
      modelId,
      [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ],
      'ann',
    );
    await loggedModels.setTags(
      modelId,
      [
        { key: 'a', value: '0' },
        { key: 'a', value: '3' },
      ],
      'ann',
    );
    await loggedModels.setTags(modelId, [{ key: 'a', value: '3' }], 'ann');
    await loggedModels.deleteTag(modelId, 'b', 'ann');
    await expect(loggedModels.deleteTag(modelId, 'b', 'ann')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { reason: 'loggedModelTagMissing', modelId, key: 'b' },
    });
    expect([...(await loggedModels.get(modelId)).tags]).toEqual([['a', '3']]);
    await loggedModels.logParams(modelId, [{ key: 'p', value: '1' }]);
    await loggedModels.logParams(modelId, [
      { key: 'p', value: '1' },
      { key: 'q', value: '2' },
    ]);
    await expect(
      loggedModels.logParams(modelId, [
        { key: 'r', value: '1' },
        { key: 'p', value: '2' },
      ]),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(Object.fromEntries((await loggedModels.get(modelId)).params)).toEqual({ p: '1', q: '2' });
    expect(await readEvents(store, experimentId)).toEqual([
      'loggedModel.created',
      'loggedModel.tags.deleted',
      'loggedModel.tags.set',
      'loggedModel.tags.set',
    ]);
  });

  test('concurrent writers lose nothing', async () => {
    const { loggedModels } = tracking;
    const { modelId } = await create('m');
    const keys = Array.from({ length: 8 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => loggedModels.setTags(modelId, [{ key, value: key }], 'ann')));
    expect([...(await loggedModels.get(modelId)).tags.keys()].sort()).toEqual(keys);
  });

  test('records a metric of a model on the run and on the model', async () => {
    const { loggedModels, runs } = tracking;
    const { modelId } = await create('m');
    const { runId } = (await runs.create({ experimentId }, 'ann')).info;
    const metric = { key: 'acc', timestamp: 5, step: 1, value: 0.5, modelId };
    for (const value of [0.5, NaN, 0.5])
      await runs.logMetric(runId, { ...metric, value, timestamp: Number.isNaN(value) ? 4 : 5 }, 'ann');
    await runs.logMetric(runId, { ...metric, value: -Infinity, datasetName: 'd', datasetDigest: '' }, 'ann');
    expect((await loggedModels.get(modelId)).metrics).toEqual([
      { key: 'acc', timestamp: 5, step: 1, value: 0.5, runId },
      { key: 'acc', timestamp: 4, step: 1, value: NaN, runId },
      { key: 'acc', timestamp: 5, step: 1, value: -Infinity, runId, datasetName: 'd' },
    ]);
    expect((await runs.get(runId)).metrics.get('acc')?.value).toBe(0.5);
  });

  test('records nothing for a missing model', async () => {
    const { runs } = tracking;
    const { runId } = (await runs.create({ experimentId }, 'ann')).info;
    const metric = { key: 'acc', timestamp: 5, step: 1, value: 0.5, modelId: `m-${'0'.repeat(32)}` };
    await expect(runs.logMetric(runId, metric, 'ann')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await runs.get(runId)).metrics.size).toBe(0);
  });

  test('records nothing of a batch when one of its models is missing', async () => {
    const { modelId } = await create('m');
    const metric = { key: 'acc', timestamp: 5, step: 1, value: 0.5 };
    const missing = `m-${'0'.repeat(32)}`;
    const both = [
      { ...metric, modelId },
      { ...metric, modelId: missing },
    ];
    await expect(tracking.loggedModels.record('r', both)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await tracking.loggedModels.get(modelId)).metrics).toEqual([]);
  });

  test('restricts metrics to datasets, in filters and in orders', async () => {
    const { loggedModels } = tracking;
    const [a, b, c] = [await create('a'), await create('b'), await create('c')];
    const measure = (
      model: { modelId: string },
      value: number,
      datasetName?: string,
      datasetDigest?: string,
    ) =>
      loggedModels.record('r1', [
        { key: 'acc', timestamp: 1, step: 0, value, modelId: model.modelId, datasetName, datasetDigest },
      ]);
    await measure(a, 0.9, 'train', 'd1');
    await measure(a, 0.2, 'test', 'd2');
    await measure(b, 0.8, 'train', 'd1');
    await measure(b, 0.6, 'test', 'd3');
    await measure(c, 0.3);
    const find = async (search: Partial<LoggedModelSearch>) =>
      (await loggedModels.search({ experimentIds: [experimentId], limit: 10, ...search })).items
        .map(({ name }) => name)
        .join('');
    const train: DatasetFilter = { name: 'train' };
    const test2: DatasetFilter = { name: 'test', digest: 'd2' };
    const test3: DatasetFilter = { name: 'test', digest: 'd3' };
    const byName = [{ field: 'name', direction: 'asc' }] as const;
    const filter = 'metrics.acc > 0.5';
    expect(await find({ orderBy: byName })).toBe('abc');
    expect(await find({ datasets: [train], orderBy: byName })).toBe('ab');
    expect(await find({ datasets: [{ name: 'other' }] })).toBe('');
    expect(await find({ datasets: [{ name: 'test' }], filter })).toBe('b');
    expect(await find({ datasets: [test2], filter })).toBe('');
    expect(await find({ datasets: [test2, test3], filter })).toBe('b');
    expect(await find({ datasets: [test3, test2], filter })).toBe('b');
    expect(await find({ datasets: [train, test2], filter: `NOT (${filter})`, orderBy: byName })).toBe('');
    expect(await find({ filter: "metrics.acc > 0.1 AND modelType != 'x'", orderBy: byName })).toBe('abc');
    const by = (dataset: DatasetFilter, direction: 'asc' | 'desc') => ({
      orderBy: [{ field: 'metrics.acc', direction, dataset }],
    });
    expect(await find(by(train, 'asc'))).toBe('bac');
    expect(await find(by(train, 'desc'))).toBe('abc');
    expect(await find(by({ name: 'test' }, 'asc'))).toBe('abc');
    await expect(find({ orderBy: [{ field: 'params.x', direction: 'asc' }] })).rejects.toMatchObject({
      details: { reason: 'modelOrderNotMetric', field: 'params.x' },
    });
    await expect(find({ orderBy: [{ field: 'what', direction: 'asc' }] })).rejects.toMatchObject({
      details: { reason: 'modelOrderInvalid', field: 'what' },
    });
  });

  test('pages have no gaps', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await create(name);
    const found: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await tracking.loggedModels.search({ experimentIds: [experimentId], limit: 2, pageToken });
      found.push(...page.items.map(({ name }) => name));
      ({ pageToken } = page);
    } while (pageToken !== undefined);
    expect(found.sort()).toEqual(names);
  });
});

type Measured = Omit<MeasuredMetric, 'modelId'>;

describe('metrics of a model', () => {
  const point = fc.record({
    key: fc.constantFrom('acc', 'loss', '__proto__'),
    timestamp: fc.integer({ min: 0, max: 3 }),
    step: fc.integer({ min: 0, max: 3 }),
    value: fc.constantFrom(0, 1, 2, NaN, Infinity),
    datasetName: fc.constantFrom(undefined, 'train', '__proto__'),
    datasetDigest: fc.constantFrom(undefined, 'd1'),
  });

  test('do not depend on order or repetition', async () => {
    const [{ open }] = metadataStores as [(typeof metadataStores)[number]];
    const store = await open();
    const { experiments, loggedModels } = openTracking(store);
    const { experimentId } = await experiments.create({ name: 'models' }, 'ann');
    const deliveries = fc.array(point, { minLength: 1, maxLength: 30 }).chain((points) =>
      fc.record({
        points: fc.constant(points),
        again: fc.shuffledSubarray([...points, ...points], { minLength: points.length * 2 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(deliveries, async ({ points, again }) => {
        const once = await loggedModels.create({ experimentId }, 'ann');
        const twice = await loggedModels.create({ experimentId }, 'ann');
        const of = (modelId: string, all: typeof points): MeasuredMetric[] =>
          all.map((metric) => ({ ...metric, modelId }));
        await loggedModels.record('r', of(once.modelId, points));
        for (let from = 0; from < again.length; from += 5)
          await loggedModels.record('r', of(twice.modelId, again.slice(from, from + 5)));
        const sorted = async (modelId: string) =>
          (await loggedModels.get(modelId)).metrics.map((metric) => String(Object.values(metric))).sort();
        expect(await sorted(twice.modelId)).toEqual(await sorted(once.modelId));
        const { metrics } = await loggedModels.get(once.modelId);
        const textOf = ({ key, timestamp, step, value, datasetName, datasetDigest }: Measured) =>
          [key, timestamp, step, value, datasetName, datasetDigest].join();
        expect(metrics.map(textOf).sort()).toEqual([...new Set(points.map(textOf))].sort());
      }),
      { numRuns: 30 },
    );
  });

  test('keep the newest points and the latest of each series, in any order', () => {
    const many = fc.array(
      fc.record({
        key: fc.constantFrom('acc', 'loss', '__proto__'),
        timestamp: fc.integer({ min: 0, max: 400 }),
        step: fc.integer({ min: 0, max: 3 }),
        value: fc.constantFrom(0, 1, NaN, Infinity),
        runId: fc.constantFrom('a', 'b'),
      }),
      { minLength: 1_500, maxLength: 2_500, size: 'max' },
    );
    const cases = many.chain((points) =>
      fc.record({
        points: fc.constant([...points, { key: 'old', timestamp: 0, step: 0, value: 1, runId: 'a' }]),
        batchSize: fc.integer({ min: 100, max: 1_000 }),
        isReversed: fc.boolean(),
      }),
    );
    const textOf = (metric: ModelMetric) =>
      [metric.key, metric.timestamp, metric.step, metric.value, metric.runId].join();
    fc.assert(
      fc.property(cases, ({ points, batchSize, isReversed }) => {
        let kept: readonly ModelMetric[] = [];
        const order = isReversed ? points.toReversed() : points;
        for (let from = 0; from < order.length; from += batchSize)
          kept = mergeMetrics(kept, order.slice(from, from + batchSize));
        expect(mergeMetrics(kept, points.slice(0, 500))).toBe(kept);
        const atOnce = mergeMetrics([], points);
        expect(kept.map(textOf).sort()).toEqual(atOnce.map(textOf).sort());
        expect(kept.some(({ key }) => key === 'old')).toBe(true);
        // Six series and the old one keep their latest point; no dropped point is newer than a kept one.
        const unique = [...new Map(points.map((metric) => [textOf(metric), metric])).values()];
        expect(kept.length).toBe(Math.min(unique.length, 1_007));
        const stayed = new Set(kept.map(textOf));
        const newestGone = Math.max(
          0,
          ...unique.filter((metric) => !stayed.has(textOf(metric))).map(({ timestamp }) => timestamp),
        );
        expect(kept.filter(({ timestamp }) => timestamp < newestGone).length).toBeLessThanOrEqual(7);
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });

  test('a model has at most 2,000 series', () => {
    const points = Array.from({ length: 2_001 }, (_, i) => ({
      key: `k${i}`,
      timestamp: 1,
      step: 0,
      value: 1,
      runId: 'r',
    }));
    const most = mergeMetrics([], points.slice(1));
    expect(most.length).toBe(2_000);
    expect(() => mergeMetrics(most, points)).toThrow(/at most 2000 metrics/);
  });
});
