import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, describe, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
import { readModel } from '../../../shared/adapters/onnx/files/read-model.ts';
import { createOnnxScorer } from '../../../shared/adapters/onnx/scoring/scorer.ts';
import { packRows, toInputs } from '../../../shared/domains/serving/pack-rows.ts';
import { parseTrainingSpec } from '../../../shared/domains/training/catalog.ts';
import { createTraining, type TrainRequest } from '../../../shared/domains/training/training.ts';
import { dyingWorkerUrl } from '../../support/worker/dying-worker.ts';
import { flightsSpec, makeTempDir, writeParquet } from '../../support/training/training.ts';

const workerUrl = new URL('../../../shared/workers/training.ts', import.meta.url);
const scoreWorkerUrl = new URL('../../../shared/workers/score.ts', import.meta.url);
const builtWorkerUrl = new URL('../../../dist/shared/workers/training.js', import.meta.url);
const limits = { threads: 1, memoryLimitMb: 256 };
const runner = createTraining({ workerUrl }, limits);
const lineage = { dataset: { name: 'flights', version: 1, sha256: 'abc' }, codeVersion: 'test' };

/** 5,000 flights of an invented airline: late in the evening and from ORD, with gaps in every column. */
const query = `SELECT
    CASE WHEN range % 97 = 0 THEN NULL ELSE TIMESTAMP '2001-01-01' + INTERVAL (range * 7) MINUTE END AS date,
    CASE WHEN range % 89 = 0 THEN NULL
         WHEN (range * 7 // 60) % 24 > 17 AND hash(range) % 3 > 0 THEN 40
         WHEN range % 4 = 1 AND hash(range) % 2 = 0 THEN 20 ELSE -3 END AS delay,
    CASE WHEN range % 83 = 0 THEN NULL ELSE 100 + hash(range + 1) % 2000 END AS distance,
    CASE WHEN range % 79 = 0 THEN NULL ELSE ['ATL', 'ORD', 'SFO', 'Zürich'][range % 4 + 1] END AS origin,
    'DFW' AS destination
  FROM range(5000)`;

async function makeRequest(change: Partial<TrainRequest> = {}): Promise<TrainRequest> {
  const path = join(await makeTempDir(), 'flights.parquet');
  await writeParquet(path, query);
  return {
    paths: [path],
    spec: parseTrainingSpec(flightsSpec),
    lineage,
    ...change,
  };
}

test('a training in a thread returns a model, its hash, its report and its progress', async () => {
  const phases: string[] = [];
  const {
    onnx: model,
    sha256: hash,
    report,
  } = await runner.train(await makeRequest({ onProgress: ({ phase }) => phases.push(phase) }));
  expect(hash).toBe(sha256(model));
  expect(report).toMatchObject({ fit: { converged: true }, rows: { unlabelled: 57 } });
  expect(report.rows.train + report.rows.holdout + 57).toBe(5000);
  const metrics: Readonly<Record<string, number>> = report.metrics;
  expect(metrics['aucScore']).toBeGreaterThan(0.75);
  expect(new Set(phases)).toEqual(new Set(['reading', 'fitting', 'evaluating']));
  const { metadata, signature } = readModel(model);
  expect(metadata).toMatchObject({
    'slipway.code': 'test',
    'slipway.dataset': 'flights@1',
    'slipway.dataset.sha256': 'abc',
  });
  expect(parseTrainingSpec(JSON.parse(metadata['slipway.training'] ?? ''))).toEqual(report.spec);
  const scorer = createOnnxScorer({ workerUrl: scoreWorkerUrl }, { cacheBytes: 1e6, maxRows: 10 });
  const row = { date: '2001-07-04T18:30:00Z', distance: 1846, origin: 'ORD', destination: 'SFO' };
  const rows = packRows(signature ?? report.signature, [row], { maxRows: 10 });
  {
    await using open = await scorer.open({ sha256: hash, load: async () => model });
    const outputs = await open.run(toInputs(rows), { outputs: ['probability'], rows: 1 });
    expect(outputs.get('probability')?.data[0]).toBeGreaterThan(0.4);
  }
  await scorer.close();
});

test('equal data, spec and metadata give equal bytes: again, with two threads, and from the built app', async (context) => {
  const request = await makeRequest();
  const first = await runner.train(request);
  expect((await runner.train(request)).sha256).toBe(first.sha256);
  const two = createTraining({ workerUrl }, { ...limits, threads: 2 });
  expect((await two.train(request)).sha256).toBe(first.sha256);
  const other = { ...lineage, codeVersion: 'other' };
  expect((await runner.train({ ...request, lineage: other })).sha256).not.toBe(first.sha256);
  if (!existsSync(builtWorkerUrl)) return context.skip('dist/ is not built: run `npm run build` first');
  const built = createTraining({ workerUrl: builtWorkerUrl }, limits);
  expect((await built.train(request)).sha256).toBe(first.sha256);
});

describe('failures reach the caller unchanged', () => {
  test('a damaged file', async () => {
    const request = await makeRequest();
    await writeFile(request.paths[0]!, 'no table');
    await expect(runner.train(request)).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/does not start with "PAR1"/),
      details: { sizeBytes: 8 },
    });
  });

  test('a missing column', async () => {
    const spec = parseTrainingSpec({
      ...flightsSpec,
      features: [{ column: 'weather', kind: 'numeric' }],
    });
    await expect(runner.train(await makeRequest({ spec }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { column: 'weather' },
    });
  });

  test('a thread that cannot start, or ends without an answer', async () => {
    const request = await makeRequest();
    const trainIn = (workerUrl: URL) => createTraining({ workerUrl }, limits).train(request);
    await expect(trainIn(new URL('data:text/javascript,throw new Error("boom")'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { cause: { message: 'boom' } },
    });
    await expect(trainIn(dyingWorkerUrl('throw new Error("boom")'))).rejects.toMatchObject({
      code: 'INTERNAL',
      cause: { message: 'boom' },
    });
    await expect(trainIn(dyingWorkerUrl())).rejects.toThrow(/ended without an answer/);
  });
});

describe('an abort', () => {
  test('stops a running training, and the next one runs', async () => {
    const request = await makeRequest();
    const abort = new AbortController();
    const training = runner.train({
      ...request,
      signal: abort.signal,
      onProgress: ({ phase }) => phase === 'fitting' && abort.abort(),
    });
    await expect(training).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(runner.train(request)).resolves.toMatchObject({ sha256: expect.any(String) });
  });

  test('before the start, or while queued, starts nothing', async () => {
    const request = await makeRequest();
    await expect(runner.train({ ...request, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    let firstIsDone = false;
    const first = runner.train(request).then(() => (firstIsDone = true));
    const abort = new AbortController();
    const phases: string[] = [];
    const second = runner.train({
      ...request,
      signal: abort.signal,
      onProgress: ({ phase }) => phases.push(phase),
    });
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(firstIsDone).toBe(false);
    const third = runner.train(request);
    await first;
    await expect(third).resolves.toMatchObject({ sha256: expect.any(String) });
    expect(phases).toEqual([]);
  });
});
