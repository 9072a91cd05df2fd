import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../shared/core/ids.ts';
import { encodeModel, rowsOf } from '../../../shared/adapters/onnx/files/onnx-proto.ts';
import { runInChunks } from '../../../shared/adapters/onnx/scoring/run-in-chunks.ts';
import { createOnnxScorer, type OnnxScorerOptions } from '../../../shared/adapters/onnx/scoring/scorer.ts';
import { createSession } from '../../../shared/adapters/onnx/sessions/session.ts';
import { packRows, toInputs, type PackedRows } from '../../../shared/domains/serving/pack-rows.ts';
import type { ModelSource, Scorer } from '../../../shared/domains/serving/scorer.ts';
import { logistic } from '../../../shared/domains/training/trainers/logistic.ts';
import {
  allRows,
  fitGolden,
  goldenCases,
  goldenSignature,
  goldenTable,
} from '../../support/training/golden-logistic.ts';

const bytes = readFileSync(new URL('../../golden/onnx/logistic.onnx', import.meta.url));
const packed = packRows(goldenSignature, goldenCases.rows, { maxRows: 1000 });
const packRow = (row: number) => packRows(goldenSignature, [goldenCases.rows[row]], { maxRows: 1 });
const source = (data: Uint8Array): ModelSource => ({ sha256: sha256(data), load: async () => data });

const workerUrl = new URL('../../../shared/workers/score.ts', import.meta.url);
const createScorer = (options: OnnxScorerOptions) => createOnnxScorer({ workerUrl }, options);
const scorer = createScorer({ cacheBytes: 1e6, maxRows: 1000 });
/** Keeps every model in the scoring thread. */
const threaded = createScorer({ cacheBytes: 1e6, maxRows: 1000, maxMainThreadModelBytes: 0 });

/** The probabilities of rows, requested as Scoring does. */
async function score(one: Scorer, model: ModelSource, rows: PackedRows) {
  await using open = await one.open(model);
  const outputs = await open.run(toInputs(rows), { outputs: ['probability'], rows: rows.rows });
  return { probabilities: outputs.get('probability')?.data as Float32Array };
}

async function describeModel(one: Scorer, model: ModelSource) {
  await using open = await one.open(model);
  return open.description;
}
afterAll(async () => {
  await scorer.close();
  await threaded.close();
});

describe('ONNX Runtime agrees', () => {
  test('with scikit-learn and, to one unit of float32, with the trainer', async () => {
    const { probabilities } = await score(scorer, source(bytes), packed);
    for (const [i, p] of goldenCases.probabilities.entries())
      expect(Math.abs(probabilities[i]! - p)).toBeLessThan(1e-7);
    const table = goldenTable();
    const { probabilities: own } = logistic.predict(await fitGolden(), table, allRows(table));
    for (const [i, p] of own.entries()) expect(Math.abs(probabilities[i]! - p)).toBeLessThan(6e-8);
  });

  test('with itself: one row, any chunk, main thread or scoring thread give the same bits', async () => {
    const { probabilities } = await score(scorer, source(bytes), packed);
    const session = await createSession(bytes);
    const call = { inputs: toInputs(packed), outputs: ['probability'], rows: packed.rows };
    for (const chunkRows of [1, 7, 16, 1000])
      expect((await runInChunks(session, call, chunkRows)).get('probability')?.data).toEqual(probabilities);
    await session.release();
    for (const row of [0, 3, 599, 603])
      for (const one of [scorer, threaded])
        expect((await score(one, source(bytes), packRow(row))).probabilities[0]).toBe(probabilities[row]);
  });
});

test('describes a model from its own bytes', async () => {
  for (const one of [scorer, threaded])
    expect(await describeModel(one, source(bytes))).toMatchObject({
      opsets: [{ version: 17 }, { domain: 'ai.onnx.ml', version: 4 }],
      signature: goldenSignature,
    });
});

test('fetches the bytes of a model once', async () => {
  let loads = 0;
  const own = createScorer({ cacheBytes: 1e6, maxRows: 1000 });
  const counting: ModelSource = { ...source(bytes), load: async () => (loads++, bytes) };
  await Promise.all([
    describeModel(own, counting),
    score(own, counting, packed),
    score(own, counting, packRow(0)),
  ]);
  await score(own, counting, packed);
  expect(loads).toBe(1);
  await own.close();
});

describe('refusals', () => {
  test.each([
    ['in the main thread', scorer],
    ['in the scoring thread', threaded],
  ])('of corrupt models, %s', async (_, one) => {
    // Sound protobuf around an operator that does not exist.
    const unknown = encodeModel({
      graph: {
        name: 'g',
        nodes: [{ op: 'Nonsense', inputs: ['x'], output: 'probability' }],
        initializers: [],
        inputs: [rowsOf('x', 'float32')],
        outputs: [rowsOf('probability', 'float32')],
      },
      opsets: [{ domain: '', version: 17 }],
      irVersion: 8,
      metadata: {},
    });
    await expect(describeModel(one, source(unknown))).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/cannot be loaded: .*Nonsense/),
    });
    for (const data of [new Uint8Array(), Buffer.from('nonsense'), bytes.subarray(0, 1000)])
      await expect(describeModel(one, source(data))).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    // The next model still works.
    expect((await score(one, source(bytes), packRow(0))).probabilities).toHaveLength(1);
  });

  test('a model without a probability, and rows for another model', async () => {
    const other = encodeModel({
      graph: {
        name: 'g',
        nodes: [{ op: 'Identity', inputs: ['x'], output: 'y' }],
        initializers: [],
        inputs: [rowsOf('x', 'float32')],
        outputs: [rowsOf('y', 'float32')],
      },
      opsets: [{ domain: '', version: 17 }],
      irVersion: 8,
      metadata: {},
    });
    const fitting = {
      rows: 1,
      columns: [{ name: 'x', tensor: 'float32', data: Float32Array.of(1) }],
    } as const;
    await expect(score(scorer, source(other), fitting)).rejects.toThrow(
      /no output "probability"; it has y \(float32 \[rows, 1\]\)/,
    );
    const wrong = { rows: 1, columns: [{ name: 'x', tensor: 'float32', data: Float32Array.of(1) }] } as const;
    await expect(score(scorer, source(bytes), wrong)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/"x" is not an input of this model; it has distance \(float32/),
    });
  });

  test('more rows than a call or the queue may hold', async () => {
    const small = createScorer({ cacheBytes: 1e6, maxRows: 603 });
    await expect(score(small, source(bytes), packed)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await small.close();
    const busy = createScorer({ cacheBytes: 1e6, maxRows: 604 });
    const calls = Array.from({ length: 17 }, () => score(busy, source(bytes), packed));
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'RATE_LIMITED' },
    });
    expect((await score(busy, source(bytes), packed)).probabilities).toHaveLength(604);
    await busy.close();
  });

  test('a model larger than the cache, with the bound', async () => {
    const tiny = createScorer({ cacheBytes: 1000, maxRows: 10 });
    await expect(describeModel(tiny, source(bytes))).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      details: { maxBytes: 1000 },
    });
    await tiny.close();
  });

  test('rethrows what fetching the bytes throws', async () => {
    const outage = new Error('storage is down');
    const model = { sha256: 'f'.repeat(64), load: () => Promise.reject(outage) };
    await expect(score(scorer, model, packRow(0))).rejects.toBe(outage);
  });
});

test('works with a cache that holds one of two models', async () => {
  const other = Buffer.concat([bytes, Uint8Array.of(0x32, 0)]); // an empty doc_string: other bytes, same model
  const small = createScorer({ cacheBytes: bytes.length + 10, maxRows: 1000 });
  const expected = (await score(scorer, source(bytes), packed)).probabilities;
  for (let round = 0; round < 5; round++) {
    const [a, b, c] = await Promise.all([
      score(small, source(bytes), packed),
      score(small, source(other), packed),
      score(small, source(other), packRow(0)),
    ]);
    expect(a.probabilities).toEqual(expected);
    expect(b.probabilities).toEqual(expected);
    expect(c.probabilities[0]).toBe(expected[0]);
  }
  await small.close();
});
