import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createOnnxScorer } from '../../../shared/adapters/onnx/scoring/scorer.ts';
import { writeModel } from '../../../shared/adapters/onnx/files/write-model.ts';
import { sha256 } from '../../../shared/core/ids.ts';
import { canonicalJson, type JsonValue } from '../../../shared/core/json/json.ts';
import { toJsonSchema } from '../../../shared/core/json/json-schema.ts';
import type { PredictionKind, Predictions } from '../../../shared/core/stats/metrics/metric.ts';
import { packRows, toInputs } from '../../../shared/domains/serving/pack-rows.ts';
import { findTask, tasks, type Prediction } from '../../../shared/domains/serving/tasks/catalog.ts';
import { parseTrainingSpec, trainers, type TrainerName } from '../../../shared/domains/training/catalog.ts';
import type { FeatureColumn, TrainingTable } from '../../../shared/domains/training/entities.ts';
import { loadTable } from '../../../shared/domains/training/load-table.ts';
import { describeProgress } from '../../../shared/domains/training/describe-progress.ts';
import { deriveSignature } from '../../../shared/domains/training/signature.ts';
import { targetKinds } from '../../../shared/domains/training/targets/catalog.ts';
import type { TargetKind } from '../../../shared/domains/training/targets/target.ts';
import { trainWith, type TrainHooks, type TrainingProgress } from '../../../shared/domains/training/train.ts';
import { createTraining } from '../../../shared/domains/training/training.ts';
import type { AnyTrainer, FitHooks, FitProgress } from '../../../shared/domains/training/trainer.ts';
import {
  createRequests,
  createSpecFor,
  learnableRows,
  learnableTable,
  trainerFixtures,
  trainerQuery,
  trainerTable,
} from '../../support/training/trainer-fixtures.ts';
import { makeTempDir, writeParquet } from '../../support/training/training.ts';

const scorer = createOnnxScorer(
  { workerUrl: new URL('../../../shared/workers/score.ts', import.meta.url) },
  { cacheBytes: 1e8, maxRows: 1000 },
);
afterAll(() => scorer.close());

const trainingWorkerUrl = new URL('../../../shared/workers/training.ts', import.meta.url);
const silentHooks: TrainHooks = {
  threads: 1,
  now: () => 0,
  yield: async () => {},
  signal: new AbortController().signal,
  onProgress: () => {},
};
const noHooks: FitHooks = { threads: 1, onIteration: async () => {} };

/** The contract of every trainer of the catalog, on a table of its task. */
describe.each(Object.keys(trainers) as TrainerName[])('trainer %s', (name) => {
  const trainer: AnyTrainer = trainers[name];
  const { task } = trainer;
  const spec = parseTrainingSpec(createSpecFor(name));
  const { params } = spec.trainer;
  const load = (reader = trainerTable) => loadTable(reader, ['unused'], spec, task);
  const rowsOf = (table: TrainingTable<PredictionKind>) => {
    const kind: TargetKind<PredictionKind> = targetKinds[task];
    return Int32Array.from({ length: learnableRows }, (_, row) => row).filter((row) =>
      kind.isLabelled(table, row),
    );
  };
  const fit = async (
    hooks: FitHooks = noHooks,
    change: (table: TrainingTable<PredictionKind>) => void = () => {},
    reader = trainerTable,
  ) => {
    const table = await load(reader);
    const rows = rowsOf(table);
    change(table);
    return { table, rows, ...(await trainer.fit(table, rows, params, hooks)) };
  };

  test('serves a task that has metrics', () => {
    expect(tasks[task].metrics.length).toBeGreaterThan(0);
  });

  describe('parameters', () => {
    test('all have defaults, which are written out', () => {
      const defaults = trainer.params.parse({});
      expect(trainer.params.parse(defaults)).toEqual(defaults);
      expect(parseTrainingSpec(createSpecFor(name, {})).trainer.params).toEqual(defaults);
    });

    test.each([
      { 'no such parameter': 1 },
      ...wrongTypes(trainer.params),
      ...(trainerFixtures[name]?.refused ?? []),
    ])('%j is refused', (refused) => {
      expect(() => parseTrainingSpec(createSpecFor(name, refused))).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    });
  });

  describe('fitting', () => {
    test('gives the same bits twice, and with 1, 2 and 4 threads', async () => {
      const signature = deriveSignature(spec.features, await trainerTable.inspect(['unused']));
      const bytesWith = async (threads: number) =>
        sha256(writeModel((await fit({ ...noHooks, threads })).model, signature, {}));
      const first = await bytesWith(1);
      for (const threads of [1, 2, 4]) expect(await bytesWith(threads)).toBe(first);
    });

    test('learns from the given rows alone', async () => {
      const { model } = await fit();
      const scrambled = await fit(noHooks, ({ features }) => {
        for (const feature of features) scramble(feature);
      });
      expect(scrambled.model).toEqual(model);
      const without = await fit(noHooks, () => {}, learnableTable);
      expect(without.model).toEqual(model);
    });

    test('reports monotone progress', async () => {
      const seen: FitProgress[] = [];
      const { report } = await fit({ threads: 1, onIteration: async (progress) => void seen.push(progress) });
      expect(seen.length).toBeGreaterThan(0);
      for (const [index, { iteration, maxIterations, objective }] of seen.entries()) {
        expect(iteration).toBeGreaterThan(seen[index - 1]?.iteration ?? 0);
        expect(iteration).toBeLessThanOrEqual(maxIterations);
        expect(Number.isFinite(objective)).toBe(true);
      }
      expect(report.iterations).toBe(seen.at(-1)?.iteration);
      expect(Number.isFinite(report.objective)).toBe(true);
      expect(report.parameters).toBeGreaterThan(0);
    });

    test('stops at any iteration at which it is cancelled', async () => {
      let total = 0;
      await fit({ threads: 1, onIteration: async () => void (total += 1) });
      for (let last = 1; last <= total; last++) {
        let calls = 0;
        const stop = new Error('stop');
        const stopped = fit({
          threads: 1,
          onIteration: async () => {
            calls += 1;
            if (calls === last) throw stop;
          },
        });
        await expect(stopped).rejects.toBe(stop);
        expect(calls).toBe(last);
      }
    });

    test('is cancelled by the signal of a training at the next iteration', async () => {
      const abort = new AbortController();
      let fittings = 0;
      const training = trainWith(trainer, trainerTable, ['unused'], spec, {
        ...silentHooks,
        signal: abort.signal,
        onProgress: ({ phase }) => {
          if (phase !== 'fitting') return;
          fittings += 1;
          abort.abort();
        },
      });
      await expect(training).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(fittings).toBe(1);
    });
  });

  test('gives the same bytes through the training thread, with 1, 2 and 4 threads that read', async () => {
    const path = join(await makeTempDir(), 'table.parquet');
    await writeParquet(path, trainerQuery);
    const lineage = { dataset: { name: 'd', version: 1, sha256: 'abc' }, codeVersion: 'test' };
    const hashes = new Set<string>();
    for (const threads of [1, 2, 4]) {
      const training = createTraining({ workerUrl: trainingWorkerUrl }, { threads, memoryLimitMb: 256 });
      const fractions: number[] = [];
      const onProgress = (progress: TrainingProgress) => fractions.push(describeProgress(progress)[0]);
      hashes.add((await training.train({ paths: [path], spec, lineage, onProgress })).sha256);
      expect(fractions).toEqual(fractions.toSorted((x, y) => x - y));
      expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
    }
    expect(hashes.size).toBe(1);
    const signature = deriveSignature(spec.features, await trainerTable.inspect(['unused']));
    const { model } = await trainWith(trainer, trainerTable, ['unused'], spec, silentHooks);
    const metadata = {
      'slipway.code': 'test',
      'slipway.dataset': 'd@1',
      'slipway.dataset.sha256': 'abc',
      'slipway.training': canonicalJson(JSON.parse(JSON.stringify(spec)) as JsonValue),
    };
    expect([...hashes]).toEqual([sha256(writeModel(model, signature, metadata))]);
  });

  test('every row has a prediction: missing, unseen and huge values, constant columns', async () => {
    const { table, model } = await fit();
    const rows = Int32Array.from({ length: table.rows }, (_, row) => row);
    for (const [row, numbers] of byRow(trainer.predict(model, table, rows)).entries())
      for (const number of numbers) expect(Number.isFinite(number), `row ${row}`).toBe(true);
  });

  test('ONNX Runtime gives the same, for all rows at once and each alone', async () => {
    const { table, model } = await fit();
    const rows = Int32Array.from({ length: table.rows }, (_, row) => row);
    const predicted = byRow(trainer.predict(model, table, rows));
    const signature = deriveSignature(spec.features, await trainerTable.inspect(['unused']));
    const bytes = writeModel(model, signature, {});
    await using open = await scorer.open({ sha256: sha256(bytes), load: async () => bytes });
    expect(open.description.task.task).toBe(task);
    const score = async (asked: readonly unknown[]) => {
      const packed = packRows(signature, asked, { maxRows: 1000 });
      const reader = findTask(open.description.task);
      const outputs = reader.outputs(open.description.task);
      const found = await open.run(toInputs(packed), { outputs, rows: packed.rows });
      return reader.predict(open.description.task, found, packed.rows);
    };
    const requests = createRequests(spec);
    const scored = await score(requests);
    expect(scored).toHaveLength(table.rows);
    for (const [row, prediction] of scored.entries()) {
      for (const [index, number] of numbersOf(prediction).entries())
        expect(
          isNear(number, predicted[row]![index]!),
          `row ${row}: ${number} for ${predicted[row]![index]}`,
        ).toBe(true);
      if (row % 40 === 0 || row >= learnableRows) expect(await score([requests[row]])).toEqual([prediction]);
    }
  });

  test('reports every metric of its task on the holdout', async () => {
    const { report } = await trainWith(trainer, trainerTable, ['unused'], spec, silentHooks);
    const metrics: Readonly<Record<string, number>> = report.metrics;
    expect(Object.keys(metrics)).toEqual(tasks[task].metrics);
    for (const value of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true);
  });
});

/** Each parameter with a value of another type. */
function wrongTypes(params: AnyTrainer['params']): readonly Readonly<Record<string, unknown>>[] {
  const { properties = {} } = toJsonSchema(params, 'input');
  return Object.entries(properties).map(([name, { type }]) => ({
    [name]: type === 'string' ? 1 : 'no value',
  }));
}

/** Other values in every row after those to learn from. */
function scramble(feature: FeatureColumn): void {
  if (feature.kind === 'numeric')
    for (let row = learnableRows; row < feature.values.length; row++) feature.values[row] = row * 1000;
  else
    for (let row = learnableRows; row < feature.codes.length; row++)
      feature.codes[row] = row % feature.keys.values.length;
}

/** The numbers of each row's prediction. */
function byRow(predictions: Predictions[PredictionKind]): readonly (readonly number[])[] {
  if ('predictions' in predictions) return Array.from(predictions.predictions, (value) => [value]);
  const { probabilities } = predictions;
  const classes = 'classes' in predictions ? predictions.classes : 1;
  return Array.from({ length: probabilities.length / classes }, (_, row) => [
    ...probabilities.subarray(row * classes, (row + 1) * classes),
  ]);
}

function numbersOf(prediction: Prediction): readonly number[] {
  if ('value' in prediction) return [Number(prediction.value)];
  if ('probability' in prediction) return [Number(prediction.probability)];
  return Object.values(prediction.probabilities).map(Number);
}

/** One unit of float32: 2^-24 below 1, and in proportion above. */
function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 2 ** -24 * Math.max(1, Math.abs(b));
}
