import { expect, test } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import { createRegistry, registerTrained } from '../../support/tracking/registry.ts';
import type { ModelDescription, Scorer } from '../../../shared/domains/serving/scorer.ts';
import { Scoring } from '../../../shared/domains/serving/scoring.ts';
import type { BlobStore } from '../../../shared/platform/storage/blobs.ts';
import { createDocuments } from '../../support/stores.ts';

/** A registry with one model in production, a clock that the test moves, and a scorer that always says 0.75. */
async function create() {
  const registry = createRegistry(createDocuments());
  const lineage = {
    runId: 'r',
    codeVersion: 'test',
    dataset: { name: 'd', version: 0, sha256: '' },
    training: null,
  };
  for (const runId of ['r1', 'r2']) {
    await registerTrained(registry, {
      model: 'm',
      sha256: runId,
      sizeBytes: 1,
      metrics: {},
      lineage: { ...lineage, runId },
    });
  }
  await registry.aliases.move('m', 'production', 1, 'ada');
  let now = 0;
  const told: string[] = [];
  const logger: Logger = { log: (_, message) => void told.push(message) };
  const scorer: Partial<Scorer> = {
    describe: async () =>
      ({
        signature: {
          columns: [{ name: 'x', type: 'number' }],
          inputs: [{ name: 'x', tensor: 'float32', column: 'x' }],
        },
      }) as unknown as ModelDescription,
    score: async (_, { rows }) => ({ probabilities: new Float32Array(rows).fill(0.75) }),
  };
  const scoring = new Scoring({
    registry,
    blobs: {} as BlobStore,
    scorer: scorer as Scorer,
    maxRows: 10,
    clock: { ...systemClock, now: () => now },
    logger,
  });
  const ask = () => scoring.score({ model: 'm', alias: 'production' }, [{ x: 1 }]);
  return { registry, ask, told, advance: (ms: number) => (now += ms) };
}

test('an alias that moved is followed within two seconds', async () => {
  const { registry, ask, advance } = await create();
  expect((await ask()).version.version).toBe(1);
  await registry.aliases.move('m', 'production', 2, 'ada');
  advance(2_000);
  const { version, predictions } = await ask();
  expect([version.version, predictions]).toEqual([2, [{ probability: 0.75, label: true }]]);
});

test('while metadata is away, the last known version answers, and not every request asks again', async () => {
  const { registry, ask, told, advance } = await create();
  await ask();
  let asked = 0;
  registry.aliases.get = () => {
    asked += 1;
    return Promise.reject(new AppError('UNAVAILABLE', 'away'));
  };
  advance(2_000);
  for (let i = 0; i < 5; i += 1) expect((await ask()).version.version).toBe(1);
  expect(asked).toBe(1);
  expect(told).toEqual(['serving the last known version']);
});

test('a store that hangs is not waited for', async () => {
  const { registry, ask, advance } = await create();
  await ask();
  registry.aliases.get = () => new Promise(() => {});
  advance(2_000);
  expect((await ask()).version.version).toBe(1);
});

test('an alias that is gone is gone: only an outage is bridged', async () => {
  const { registry, ask, advance } = await create();
  await ask();
  registry.aliases.get = () => Promise.reject(new AppError('NOT_FOUND', 'gone'));
  advance(2_000);
  await expect(ask()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a model that nobody knew before the outage is an outage', async () => {
  const { registry, ask } = await create();
  registry.aliases.get = () => Promise.reject(new AppError('UNAVAILABLE', 'away'));
  await expect(ask()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
