import { describe, expect, test } from 'vitest';
import type { TrainingTable } from '../../../shared/domains/training/entities.ts';
import { logistic } from '../../../shared/domains/training/trainers/logistic.ts';
import { allRows, fitGolden, golden, goldenTable, noHooks } from '../../support/training/golden-logistic.ts';

const params = { l2: 1, maxIterations: 50, tolerance: 1e-12, minCategoryRows: 1 };

function numericTable(values: readonly number[], labels: readonly number[]): TrainingTable<'binary'> {
  return {
    rows: values.length,
    labels: Uint8Array.from(labels),
    features: [{ kind: 'numeric', name: 'x', values: Float32Array.from(values) }],
  };
}

describe('agrees with scikit-learn', () => {
  test('in every weight, also of missing numbers and pooled categories', async () => {
    const model = await fitGolden();
    expect(model.intercept).toBeCloseTo(golden.intercept, 8);
    const [distance, load, airport, hour] = model.terms;
    if (distance?.kind !== 'numeric' || load?.kind !== 'numeric') throw new Error('wrong kind');
    if (airport?.kind !== 'categorical' || hour?.kind !== 'categorical') throw new Error('wrong kind');
    expect(distance.centre).toBeCloseTo(golden.distance.centre, 9);
    expect(distance.weight).toBeCloseTo(golden.distance.weight, 11);
    expect(distance.missing).toBeCloseTo(golden.distance.missing, 8);
    expect(load.centre).toBeCloseTo(golden.load.centre, 12);
    expect(load.weight).toBeCloseTo(golden.load.weight, 8);
    expect(load.missing).toBe(0);
    for (const [term, expected] of [
      [airport, golden.airport],
      [hour, golden.hour],
    ] as const) {
      expect(term.keys.values.map(String).sort()).toEqual(Object.keys(expected).sort());
      for (const [i, key] of term.keys.values.entries())
        expect(term.weights[i]).toBeCloseTo(expected[String(key)]!, 8);
    }
  });

  test('in every probability, to float32', async () => {
    const table = goldenTable();
    const { probabilities: predicted } = logistic.predict(await fitGolden(), table, allRows(table));
    for (const [i, p] of golden.probabilities.entries())
      expect(Math.abs(predicted[i]! - p)).toBeLessThan(1e-7);
  });
});

describe('fitting', () => {
  test('gives the same bits each time, and reports each iteration', async () => {
    const objectives: number[] = [];
    const table = goldenTable();
    const fit = () =>
      logistic.fit(table, allRows(table), params, {
        threads: 1,
        onIteration: async ({ objective }) => void objectives.push(objective),
      });
    const first = await fit();
    expect(JSON.stringify(await fit())).toBe(JSON.stringify(first));
    expect(first.report.converged).toBe(true);
    expect(objectives).toHaveLength(2 * first.report.iterations);
    expect(objectives.slice(0, 3)).toEqual(objectives.slice(0, 3).toSorted((a, b) => b - a));
  });

  test('separable data has a finite answer', async () => {
    const table = numericTable([-2, -1, 1, 2], [0, 0, 1, 1]);
    const { model, report } = await logistic.fit(table, allRows(table), { ...params, l2: 1e-6 }, noHooks);
    expect(report.converged).toBe(true);
    const { probabilities: p } = logistic.predict(model, table, allRows(table));
    expect([...p].map(Math.round)).toEqual([0, 0, 1, 1]);
    expect(p.every(Number.isFinite)).toBe(true);
  });

  test('reports when it stopped before the minimum', async () => {
    const table = goldenTable();
    const { report } = await logistic.fit(table, allRows(table), { ...params, maxIterations: 1 }, noHooks);
    expect(report).toMatchObject({ iterations: 1, converged: false });
  });

  test('stops where onIteration throws', async () => {
    const table = goldenTable();
    const stop = new Error('stop');
    const fit = logistic.fit(table, allRows(table), params, {
      threads: 1,
      onIteration: ({ iteration }) => (iteration === 2 ? Promise.reject(stop) : Promise.resolve()),
    });
    await expect(fit).rejects.toBe(stop);
  });

  test('learns from the given rows alone', async () => {
    const all = numericTable([-2, -1, 1, 2, 9, 9], [0, 1, 0, 1, 0, 0]);
    const some = numericTable([-2, -1, 1, 2], [0, 1, 0, 1]);
    const rows = Int32Array.of(0, 1, 2, 3);
    expect(await logistic.fit(all, rows, params, noHooks)).toEqual(
      await logistic.fit(some, rows, params, noHooks),
    );
  });

  test('a constant column gets no weight', async () => {
    const table = numericTable([7, 7, 7, 7], [0, 1, 0, 1]);
    const { model } = await logistic.fit(table, allRows(table), params, noHooks);
    expect(model.terms[0]).toMatchObject({ centre: 7, weight: 0, missing: 0 });
    expect(model.intercept).toBeCloseTo(0, 12);
  });

  test('a feature without a single value is refused by name', async () => {
    const table = numericTable([NaN, NaN], [0, 1]);
    await expect(logistic.fit(table, allRows(table), params, noHooks)).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: 'Feature "x" has no value in any training row.',
    });
  });
});

test('unseen and missing categories add nothing', async () => {
  const model = await fitGolden();
  const table = goldenTable();
  const one = (codes: number[], keys: string[]): TrainingTable<'binary'> => ({
    ...table,
    features: table.features.map((feature) =>
      feature.name === 'airport' && feature.kind === 'categorical'
        ? { ...feature, codes: Int32Array.from(codes), keys: { type: 'string', values: keys } }
        : feature,
    ),
  });
  const without = {
    ...model,
    terms: model.terms.map((t) =>
      t.name === 'airport' && t.kind === 'categorical' ? { ...t, weights: t.weights.map(() => 0) } : t,
    ),
  };
  const rows = Int32Array.of(0);
  const [expected] = logistic.predict(without, table, rows).probabilities;
  expect(logistic.predict(model, one([0], ['JFK']), rows).probabilities[0]).toBe(expected);
  expect(logistic.predict(model, one([-1], ['JFK']), rows).probabilities[0]).toBe(expected);
  expect(logistic.predict(model, table, rows).probabilities[0]).not.toBe(expected);
});
