import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { PredictionKind } from '../../../shared/core/stats/metrics/metric.ts';
import { checkForTrainer } from '../../../shared/domains/training/catalog.ts';
import { trainingSpecSchema, type TrainingSpec } from '../../../shared/domains/training/entities.ts';
import { trainWith, type TrainHooks } from '../../../shared/domains/training/train.ts';
import type { Trainer } from '../../../shared/domains/training/trainer.ts';
import { createTableReader } from '../../support/training/training.ts';

/** Predicts the mean of the training rows. */
const mean: Trainer<'regression', object, { readonly mean: number }> = {
  task: 'regression',
  description: 'The mean of the training rows',
  params: z.strictObject({}),
  async fit({ targets }, rows, _, { onIteration }) {
    const average = rows.reduce((sum, row) => sum + targets[row]!, 0) / rows.length;
    await onIteration({ iteration: 1, maxIterations: 1, objective: 0 });
    return {
      model: { mean: average },
      report: { iterations: 1, converged: true, objective: 0, parameters: 1 },
    };
  },
  predict: (model, _, rows) => ({ predictions: new Float64Array(rows.length).fill(model.mean) }),
};

/** Predicts the shares of the classes among the training rows. */
const shares: Trainer<'multiclass', object, { readonly shares: readonly number[] }> = {
  task: 'multiclass',
  description: 'The shares of the classes',
  params: z.strictObject({}),
  async fit({ labels, classes }, rows, _, { onIteration }) {
    const counts = classes.values.map((__, code) => rows.filter((row) => labels[row] === code).length);
    await onIteration({ iteration: 1, maxIterations: 1, objective: 0 });
    const report = { iterations: 1, converged: true, objective: 0, parameters: counts.length };
    return { model: { shares: counts.map((count) => count / rows.length) }, report };
  },
  predict: (model, _, rows) => ({
    classes: model.shares.length,
    probabilities: Float64Array.from(Array.from(rows, () => model.shares).flat()),
  }),
};

const column = (name: string, kind: 'float' | 'string', values: readonly (string | number | null)[]) => ({
  name,
  kind,
  type: kind.toUpperCase(),
  values,
});
const numbers = Array.from({ length: 300 }, (_, i) => i);
const reader = createTableReader([
  column('x', 'float', numbers),
  column(
    'price',
    'float',
    numbers.map((i) => (i % 50 === 0 ? null : i % 7)),
  ),
  column(
    'kind',
    'string',
    numbers.map((i) => (i % 30 === 0 ? null : (['a', 'b', 'c'][i % 5] ?? 'c'))),
  ),
]);

function createSpec(label: object): TrainingSpec {
  return trainingSpecSchema.parse({
    features: [{ column: 'x', kind: 'numeric' }],
    label,
    holdoutShare: 0.3,
    trainer: { name: 'stub' },
  });
}

function run<Kind extends PredictionKind, Model>(
  trainer: Trainer<Kind, object, Model>,
  spec: TrainingSpec,
  onProgress: TrainHooks['onProgress'] = () => {},
) {
  return trainWith(trainer, reader, ['unused'], spec, {
    threads: 1,
    now: () => 0,
    onProgress,
    yield: async () => {},
    signal: new AbortController().signal,
  });
}

describe('a trainer of numbers', () => {
  test('goes through split, fit, evaluation and report', async () => {
    const phases: string[] = [];
    const { model, report } = await run(mean, createSpec({ column: 'price' }), ({ phase }) => {
      if (phases.at(-1) !== phase) phases.push(phase);
    });
    expect(phases).toEqual(['reading', 'fitting', 'evaluating']);
    expect(report.rows.unlabelled).toBe(6);
    expect(report.rows.train + report.rows.holdout).toBe(294);
    // The mean of 0 to 6 is 3, their standard deviation 2: the split is by chance.
    expect(model.mean).toBeCloseTo(3, 0);
    expect(report.metrics.rmseDistance).toBeCloseTo(2, 0);
    expect(report.metrics.r2Score).toBeLessThanOrEqual(0);
    expect(Object.keys(report.metrics)).toEqual(['rmseDistance', 'maeDistance', 'r2Score']);
  });

  test('refuses an infinite target and one without any value', async () => {
    const spec = createSpec({ column: 'y' });
    const learn = (values: readonly (number | null)[]) =>
      trainWith(
        mean,
        createTableReader([column('x', 'float', [1, 2, 3]), column('y', 'float', values)]),
        ['unused'],
        spec,
        {
          threads: 1,
          now: () => 0,
          onProgress: () => {},
          yield: async () => {},
          signal: new AbortController().signal,
        },
      );
    await expect(learn([1, Infinity, 2])).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      details: { column: 'y', row: 1 },
    });
    await expect(learn([null, null, null])).rejects.toThrow(/training rows cannot be used: there are none/);
  });
});

describe('a trainer of several classes', () => {
  test('goes through split, fit, evaluation and report', async () => {
    const { model, report } = await run(shares, createSpec({ column: 'kind' }));
    expect(report.rows.unlabelled).toBe(10);
    expect(model.shares).toHaveLength(3);
    expect(model.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    // Three of five rows are of class c, which is always the most probable.
    expect(report.metrics.accuracyScore).toBeCloseTo(0.6, 1);
    expect(report.metrics.macroF1Score).toBeCloseTo(0.25, 1);
    // The entropy of 0.2, 0.2 and 0.6.
    expect(report.metrics.logLossDistance).toBeCloseTo(0.95, 1);
    expect(Object.keys(report.metrics)).toEqual(['logLossDistance', 'accuracyScore', 'macroF1Score']);
  });

  test('refuses a single class', async () => {
    const same = createTableReader([column('x', 'float', [1, 2, 3]), column('y', 'string', ['a', 'a', 'a'])]);
    const hooks: TrainHooks = {
      threads: 1,
      now: () => 0,
      onProgress: () => {},
      yield: async () => {},
      signal: new AbortController().signal,
    };
    await expect(trainWith(shares, same, ['unused'], createSpec({ column: 'y' }), hooks)).rejects.toThrow(
      /training rows cannot be used: all \d are of the same class/,
    );
  });
});

describe('the label of a spec must suit the task', () => {
  test.each<[PredictionKind, object, RegExp]>([
    ['binary', { column: 'y' }, /must ask a yes\/no question: give op and value/],
    ['regression', { column: 'y', op: '>', value: 1 }, /must be the column alone/],
    ['multiclass', { column: 'y', op: '==', value: 1 }, /must be the column alone/],
  ])('%s', (task, label, message) => {
    expect(() => checkForTrainer(createSpec(label), { task })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message) as string,
      }),
    );
  });

  test('an incomplete label is refused', () => {
    expect(
      trainingSpecSchema.safeParse({ ...createSpec({ column: 'y' }), label: { column: 'y', op: '>' } })
        .success,
    ).toBe(false);
  });

  test.each<[PredictionKind, string, boolean]>([
    ['regression', 'prediction', false],
    ['regression', 'label', true],
    ['multiclass', 'probabilities', false],
    ['binary', 'prediction', true],
  ])('%s: a feature "%s" is free: %s', (task, name, isFree) => {
    const label = task === 'binary' ? { column: 'y', op: '>', value: 1 } : { column: 'y' };
    const spec = { ...createSpec(label), features: [{ column: 'x', kind: 'numeric', name } as const] };
    const check = () => checkForTrainer(spec, { task });
    if (isFree) expect(check).not.toThrow();
    else expect(check).toThrow(/is reserved/);
  });
});

test('refuses each unsupported feature at its place', () => {
  const spec = {
    ...createSpec({ column: 'y' }),
    features: [
      { column: 'a', kind: 'categorical' as const },
      { column: 'b', kind: 'numeric' as const },
    ],
  };
  const check = (featureKinds?: readonly ('numeric' | 'categorical')[]) => () =>
    checkForTrainer(spec, { task: 'regression', ...(featureKinds ? { featureKinds } : {}) });
  expect(check(['categorical'])).toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      details: {
        faults: [{ at: 'features[1].kind', message: 'trainer "stub" learns from categorical features only' }],
      },
    }),
  );
  expect(check(['categorical', 'numeric'])).not.toThrow();
  expect(check()).not.toThrow();
});
