import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAppError } from '../../shared/core/errors.ts';
import type { Metric, Run } from '../../shared/domains/tracking/entities.ts';
import type { Tracking } from '../../shared/domains/tracking/tracking.ts';
import { type Fate, makeFlaky } from '../support/documents/flaky-documents.ts';
import { createDocuments, metadataStores } from '../support/stores.ts';
import { openTracking } from '../support/tracking/tracking.ts';

const names = ['a', 'loss', 'x/y', 'constructor', '__proto__'];
const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(NaN, Infinity, -Infinity, Number.MAX_VALUE, -0, 0.1),
);
const metricShape = {
  value,
  timestamp: fc.integer({ min: 0, max: 6 }),
  step: fc.integer({ min: -2, max: 4 }),
};
const metric = fc.record({ ...metricShape, key: fc.constantFrom('a', 'loss', 'x/y') });
const oddMetric = fc.record({ ...metricShape, key: fc.constantFrom(...names) });
const tag = fc.record({ key: fc.constantFrom(...names), value: fc.constantFrom('1', '2', '') });
const params = fc.uniqueArray(tag, { selector: ({ key }) => key, maxLength: 2 });

const batch = fc.record({
  kind: fc.constant('batch' as const),
  metrics: fc.oneof(
    { weight: 5, arbitrary: fc.array(oddMetric, { maxLength: 4 }) },
    // Enough to fill the tail, and to form a chunk.
    { weight: 2, arbitrary: fc.array(metric, { minLength: 70, maxLength: 90 }) },
    { weight: 1, arbitrary: fc.array(metric, { minLength: 500, maxLength: 520 }) },
  ),
  params,
  tags: fc.array(tag, { maxLength: 3 }),
});
const command = fc.oneof(
  { weight: 8, arbitrary: batch },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('deleteTag' as const), key: fc.constantFrom(...names) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      status: fc.constantFrom('FINISHED' as const, 'RUNNING' as const, 'FAILED' as const),
      endTime: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      name: fc.option(fc.constantFrom('n1', 'n2'), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ kind: 'delete' as const }, { kind: 'restore' as const }) },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
const fate = fc.constantFrom<Fate>('ok', 'ok', 'before', 'after');

/** A plain model of a run. */
class Model {
  readonly params = new Map<string, string>();
  readonly tags = new Map([['mlflow.runName', 'n']]);
  readonly points = new Map<string, Metric>();
  status = 'RUNNING';
  endTime: number | undefined;
  isDeleted = false;

  /** @returns whether it is refused */
  apply(command: Command): boolean {
    if (command.kind === 'delete' || command.kind === 'restore') {
      this.isDeleted = command.kind === 'delete';
      return false;
    }
    if (this.isDeleted) return true;
    switch (command.kind) {
      case 'batch':
        if (command.params.some(({ key, value }) => (this.params.get(key) ?? value) !== value)) return true;
        for (const { key, value } of command.params) this.params.set(key, value);
        for (const { key, value } of command.tags) this.tags.set(key, value);
        for (const point of command.metrics) this.points.set(textOf(point), point);
        return false;
      case 'deleteTag':
        return !this.tags.delete(command.key);
      case 'update':
        this.status = command.status;
        this.endTime = command.endTime ?? this.endTime;
        if (command.name) this.tags.set('mlflow.runName', command.name);
        return false;
    }
  }

  history(key: string): readonly string[] {
    const order = (n: number) => (Number.isNaN(n) ? 0 : n);
    return [...this.points.values()]
      .filter((point) => point.key === key)
      .sort(
        (a, b) =>
          a.timestamp - b.timestamp ||
          a.step - b.step ||
          Number(order(a.value) > order(b.value)) - Number(order(a.value) < order(b.value)) ||
          Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)),
      )
      .map(textOf);
  }
}

function textOf({ key, timestamp, step, value }: Metric): string {
  return `${key} ${timestamp} ${step} ${value === 0 ? 0 : value}`;
}

/** Retries until there is an answer, as clients do. @returns whether it was refused */
async function insist(attempt: () => Promise<unknown>): Promise<boolean> {
  for (;;) {
    try {
      await attempt();
      return false;
    } catch (error) {
      if (isAppError(error, 'UNAVAILABLE')) continue;
      if (isAppError(error, 'INVALID_ARGUMENT') || isAppError(error, 'NOT_FOUND')) return true;
      throw error;
    }
  }
}

function send({ runs }: Tracking, runId: string, command: Command): Promise<unknown> {
  switch (command.kind) {
    case 'batch':
      return runs.logBatch(runId, command, 'me');
    case 'deleteTag':
      return runs.deleteTag(runId, command.key, 'me');
    case 'update':
      return runs.update(runId, command, 'me');
    case 'delete':
      return runs.delete(runId, 'me');
    case 'restore':
      return runs.restore(runId, 'me');
  }
}

async function expectSame({ runs }: Tracking, runId: string, model: Model): Promise<void> {
  const run: Run = await runs.get(runId);
  expect(run.params).toEqual(model.params);
  expect(run.tags).toEqual(model.tags);
  expect(run.info).toMatchObject({
    name: model.tags.get('mlflow.runName'),
    status: model.status,
    lifecycleStage: model.isDeleted ? 'deleted' : 'active',
  });
  expect(run.info.endTime).toBe(model.endTime);
  const keys = new Set([...model.points.values()].map(({ key }) => key));
  expect(new Set(run.metrics.keys())).toEqual(keys);
  for (const key of keys) {
    const history: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await runs.getHistory(runId, key, { limit: 100, pageToken });
      history.push(...page.points.map((point) => textOf({ key, ...point })));
      pageToken = page.pageToken;
    } while (pageToken !== undefined);
    expect(history).toEqual(model.history(key));
    const all = await Array.fromAsync(runs.readMetricPoints(runId, key));
    expect(all.flat().map((point) => textOf({ key, ...point }))).toEqual(history);
    const best = [...model.points.values()]
      .filter((point) => point.key === key)
      .reduce((a, b) => ((a.step - b.step || a.timestamp - b.timestamp) < 0 ? b : a));
    expect(run.metrics.get(key)).toMatchObject({ step: best.step, timestamp: best.timestamp });
  }
}

for (const { name, open } of metadataStores)
  test(`${name}: a retry repairs any failure between two writes`, async () => {
    const store = await open();
    const steady = openTracking(store);
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fate),
        async (commands, fates) => {
          // The server that emulates Cosmos DB drops members of that name from query results.
          fc.pre(name === 'SQLite' || !JSON.stringify(commands).includes('__proto__'));
          const model = new Model();
          const { info } = await steady.runs.create({ name: 'n' }, 'me');
          const lossy = makeFlaky(store, () => fates.next().value as Fate);
          // Two processes, each with its own cache of the run.
          const processes = [openTracking(lossy), openTracking(lossy)];
          for (const [index, command] of commands.entries()) {
            const isRefused = model.apply(command);
            const wasRefused = await insist(() => send(processes[(index >> 1) % 2]!, info.runId, command));
            // The first attempt may have deleted it and lost only the answer.
            if (command.kind !== 'deleteTag') expect(wasRefused).toBe(isRefused);
          }
          await expectSame(steady, info.runId, model);
        },
      ),
      { endOnFailure: true, numRuns: name === 'SQLite' ? 150 : 15 },
    );
  });

test('a history does not depend on the order or repetition of writes', async () => {
  const store = createDocuments();
  const tracking = openTracking(store);
  const batches = fc.array(batch, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(batches, fc.infiniteStream(fc.nat()), async (all, random) => {
      const shuffled = [...all, ...all]
        .map(({ metrics }) => ({ metrics, params: [], tags: [], place: random.next().value as number }))
        .sort((a, b) => a.place - b.place);
      const model = new Model();
      const results = [];
      for (const order of [all.map(({ metrics }) => ({ metrics, params: [], tags: [] })), shuffled]) {
        const { info } = await tracking.runs.create({ name: 'n' }, 'me');
        for (const one of order) {
          await tracking.runs.logBatch(info.runId, one, 'me');
          model.apply({ kind: 'batch', ...one });
        }
        await expectSame(tracking, info.runId, model);
        results.push((await tracking.runs.get(info.runId)).metrics);
      }
      expect(results[1]).toEqual(results[0]);
    }),
    { numRuns: 60 },
  );
});
