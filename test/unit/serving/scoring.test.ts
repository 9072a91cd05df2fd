import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../shared/core/clock.ts';
import { AppError } from '../../../shared/core/errors.ts';
import type { Logger } from '../../../shared/core/logger.ts';
import type { Registry } from '../../../shared/domains/registry/registry.ts';
import { toInputs } from '../../../shared/domains/serving/pack-rows.ts';
import type { ModelDescription, RunOptions, Scorer } from '../../../shared/domains/serving/scorer.ts';
import { Scoring, type ScoreRequest } from '../../../shared/domains/serving/scoring.ts';
import type { ModelTask } from '../../../shared/domains/serving/tasks/catalog.ts';
import type { Tensor, Tensors } from '../../../shared/domains/serving/tensor.ts';
import { createRegistry, registerTrained } from '../../support/tracking/registry.ts';
import { createDocuments } from '../../support/stores.ts';
import { settle, useVirtualTimers } from '../../support/virtual-timers.ts';

const description: ModelDescription = {
  irVersion: 8,
  producer: 'test',
  opsets: [],
  inputs: [{ name: 'x', type: 'float32', shape: ['rows', 1] }],
  outputs: [
    { name: 'probability', type: 'float32', shape: ['rows', 1] },
    { name: 'wide', type: 'int64', shape: ['rows', 3] },
    { name: 'hollow', type: 'int64', shape: ['rows', 'lists', 0] },
  ],
  metadata: {},
  weightFiles: [],
  signature: {
    columns: [{ name: 'x', type: 'number' }],
    inputs: [{ name: 'x', tensor: 'float32', column: 'x' }],
  },
  task: { task: 'binary', probability: 'probability' },
};

/** A registry with one model in production, a clock that the test moves, and a scorer that always returns 0.75. */
async function create(change: Partial<ModelDescription> = {}) {
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
  const logged: string[] = [];
  const logger: Logger = { log: (_, message) => void logged.push(message) };
  const runs: (RunOptions & { readonly inputs: Tensors })[] = [];
  let opened = 0;
  let closed = 0;
  const scorer: Scorer = {
    open: async () => {
      opened += 1;
      return {
        description: { ...description, ...change },
        run: async (inputs, options) => {
          runs.push({ inputs, ...options });
          return new Map(options.outputs.map((name) => [name, answer(name, options.rows ?? 1)]));
        },
        [Symbol.asyncDispose]: async () => void (closed += 1),
      };
    },
    close: async () => {},
  };
  /** A test can replace it with an outage. */
  const aliases: Pick<Registry['aliases'], 'get'> = {
    get: (model, alias) => registry.aliases.get(model, alias),
  };
  const blobs = {
    head: () => Promise.reject(new Error('nothing is to be loaded')),
    open: () => Promise.reject(new Error('nothing is to be loaded')),
  };
  const scoring = new Scoring(
    {
      registry: { versions: registry.versions, aliases },
      blobs,
      scorer,
      clock: { ...systemClock, now: () => now },
      logger,
    },
    { maxRows: 10, maxElements: 12 },
  );
  const score = (request: ScoreRequest) => scoring.score({ model: 'm', alias: 'production' }, request);
  const ask = () => score({ rows: [{ x: 1 }] });
  return {
    registry,
    aliases,
    scoring,
    score,
    ask,
    logged,
    runs,
    loans: () => [opened, closed],
    advance: (ms: number) => (now += ms),
  };
}

function answer(name: string, rows: number): Tensor {
  if (name === 'hollow') return { type: 'int64', shape: [rows, 1_000, 0], data: new BigInt64Array() };
  return name === 'wide'
    ? { type: 'int64', shape: [rows, 3], data: new BigInt64Array(rows * 3).fill(2n ** 60n) }
    : { type: 'float32', shape: [rows, 1], data: new Float32Array(rows).fill(0.75) };
}

test('follows an alias that moved within two seconds', async () => {
  const { registry, ask, advance } = await create();
  expect((await ask()).version.version).toBe(1);
  await registry.aliases.move('m', 'production', 2, 'ada');
  advance(2_000);
  const answered = await ask();
  expect(answered).toMatchObject({
    version: { version: 2 },
    predictions: [{ probability: 0.75, label: true }],
  });
});

test('serves the last known version during an outage of metadata, and asks once in two seconds', async () => {
  const { aliases, ask, logged, advance } = await create();
  await ask();
  let asked = 0;
  aliases.get = () => {
    asked += 1;
    return Promise.reject(new AppError('UNAVAILABLE', 'down'));
  };
  advance(2_000);
  for (let i = 0; i < 5; i += 1) expect((await ask()).version.version).toBe(1);
  expect(asked).toBe(1);
  expect(logged).toEqual(['serving the last known version']);
});

test('serves the last known version while the store hangs', async () => {
  const { aliases, ask, advance } = await create();
  await ask();
  aliases.get = () => new Promise(() => {});
  advance(2_000);
  useVirtualTimers();
  expect((await settle(ask(), 1_000)).version.version).toBe(1);
});

test('a deleted alias is NOT_FOUND: only an outage is bridged', async () => {
  const { aliases, ask, advance } = await create();
  await ask();
  aliases.get = () => Promise.reject(new AppError('NOT_FOUND', 'gone'));
  advance(2_000);
  await expect(ask()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a model that was never read before the outage is UNAVAILABLE', async () => {
  const { aliases, ask } = await create();
  aliases.get = () => Promise.reject(new AppError('UNAVAILABLE', 'down'));
  await expect(ask()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

describe('rows', () => {
  test('return predictions after one lookup of the model', async () => {
    const { score, runs, loans } = await create();
    expect(await score({ rows: [{ x: 1 }, { x: null }] })).toMatchObject({
      version: { version: 1 },
      predictions: [
        { probability: 0.75, label: true },
        { probability: 0.75, label: true },
      ],
    });
    expect(runs).toEqual([
      {
        inputs: toInputs({
          rows: 2,
          columns: [{ name: 'x', tensor: 'float32', data: Float32Array.of(1, NaN) }],
        }),
        outputs: ['probability'],
        rows: 2,
      },
    ]);
    expect(loans()).toEqual([1, 1]);
  });

  test('return the outputs that the request names, each once', async () => {
    const { score, runs } = await create();
    expect(await score({ rows: [{ x: 1 }], outputs: ['wide', 'wide'] })).toMatchObject({
      outputs: new Map([['wide', answer('wide', 1)]]),
    });
    expect(runs[0]?.outputs).toEqual(['wide']);
  });

  test('return outputs when the model has no task', async () => {
    const { score } = await create({ task: { task: 'raw' }, outputs: description.outputs.slice(0, 2) });
    expect(await score({ rows: [{ x: 1 }] })).toMatchObject({
      outputs: new Map([
        ['probability', answer('probability', 1)],
        ['wide', answer('wide', 1)],
      ]),
    });
  });

  test.each<[string, ModelTask, object]>([
    ['regression', { task: 'regression', value: 'probability' }, { value: 0.75 }],
    [
      'multiclass',
      { task: 'multiclass', probabilities: 'probability', classes: ['only'] },
      { label: 'only', probabilities: { only: 0.75 } },
    ],
  ])('are answered as the task %s says', async (_, task, prediction) => {
    const { score } = await create({ task });
    expect(await score({ rows: [{ x: 1 }] })).toMatchObject({ predictions: [prediction] });
  });

  test('are refused for a model without columns, with its inputs and the remedy', async () => {
    const { ask, loans } = await create({
      signature: null,
      inputs: [{ name: 'X', type: 'float32', shape: ['rows', 4] }],
    });
    await expect(ask()).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/send its inputs as tensors.*X \(float32 \[rows, 4\]\)/) as string,
    });
    expect(loans()).toEqual([1, 1]);
  });

  test('have a limit', async () => {
    const { score } = await create();
    const rows = Array.from({ length: 11 }, () => ({ x: 1 }));
    await expect(score({ rows })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });
});

describe('inputs', () => {
  test('return all outputs, or those that the request names', async () => {
    const { score, runs } = await create({ outputs: description.outputs.slice(0, 2) });
    expect(await score({ inputs: { x: { data: [[1]] } } })).toMatchObject({
      version: { version: 1 },
      outputs: new Map([
        ['probability', answer('probability', 1)],
        ['wide', answer('wide', 1)],
      ]),
    });
    expect(runs[0]?.rows).toBeUndefined();
    await score({ inputs: { x: { data: [[1]] } }, outputs: ['wide'] });
    expect(runs[1]?.outputs).toEqual(['wide']);
  });

  test('an unknown output is refused by name', async () => {
    const { score } = await create();
    for (const form of [{ rows: [{ x: 1 }] }, { inputs: { x: { data: [[1]] } } }])
      await expect(score({ ...form, outputs: ['wide', 'gone'] })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/"gone" is not an output of this model; it has probability/) as string,
      });
  });

  test('and outputs have a limit', async () => {
    const { score } = await create();
    const data = Array.from({ length: 13 }, () => [1]);
    await expect(score({ inputs: { x: { data } } })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    const rows = Array.from({ length: 5 }, () => ({ x: 1 }));
    await expect(score({ rows, outputs: ['wide'] })).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      details: { elements: 15, maxElements: 12 },
    });
    await expect(score({ rows: [{ x: 1 }], outputs: ['hollow'] })).rejects.toMatchObject({
      details: { elements: 1_000 },
    });
  });
});

test('a probe opens the version and returns its description', async () => {
  const { scoring, loans } = await create();
  expect(await scoring.probe({ model: 'm', version: 2 })).toEqual(description);
  expect(loans()).toEqual([1, 1]);
});
