import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PlatformProcess } from '../../local/platform-process.ts';
import {
  cast,
  createModel,
  identity,
  readSklearnModel,
  sklearnCases,
  value,
} from '../support/onnx/models.ts';
import { patienceMs } from '../support/hang-guard.ts';

/** Models that a user logs and registers over the protocol of MLflow's client. */
const models: Readonly<Record<string, Uint8Array>> = {
  classifier: readSklearnModel('classifier'),
  zipmap: readSklearnModel('classifier-with-zipmap'),
  regressor: readSklearnModel('regressor-declared'),
  // Columns in, and a class for each row.
  tabular: createModel({
    nodes: [identity('size', 'value'), cast('count', 'count as text', 'string')],
    inputs: [value('size', 'float32', ['rows', 1]), value('count', 'int64', ['rows', 1])],
    outputs: [value('value', 'float32', ['rows', 1]), value('count as text', 'string', ['rows', 1])],
    metadata: { 'slipway.task': '{"task":"regression","value":"value"}' },
  }),
  numbers: createModel({
    nodes: [identity('x', 'y'), identity('n', 'm')],
    inputs: [value('x', 'float64', ['k']), value('n', 'uint64', [])],
    outputs: [value('y', 'float64', ['k']), value('m', 'uint64', [])],
  }),
};

const folder = mkdtempSync(join(tmpdir(), 'slipway-test-'));
let platform: PlatformProcess;
beforeAll(async () => {
  platform = await PlatformProcess.start({ port: 0, dataDir: join(folder, 'data'), timeoutMs: patienceMs });
  for (const [name, bytes] of Object.entries(models)) {
    const artifact = `api/2.0/mlflow-artifacts/artifacts/logged/${name}/model.onnx`;
    await fetch(`${platform.url}/${artifact}`, { method: 'PUT', body: Buffer.from(bytes) });
    await platform.call('POST', 'api/2.0/mlflow/registered-models/create', { name });
    const source = `mlflow-artifacts:/logged/${name}`;
    await platform.call('POST', 'api/2.0/mlflow/model-versions/create', { name, source });
  }
});
afterAll(async () => {
  await platform?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each(Object.keys(models))('%s is registered as servable', async (name) => {
  expect(await platform.call('GET', `api/v1/models/${name}/versions/1`)).toMatchObject({
    serving: { status: 'ready' },
  });
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function score(model: string, body: unknown, query = '?version=1'): Promise<Answer> {
  const response = await fetch(`${platform.url}/api/v1/models/${model}/score${query}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

const { X } = sklearnCases['classifier']!;
const { X: diabetes, outputs: values } = sklearnCases['regressor-declared']!;

describe('tensors', () => {
  test('return the outputs of a classifier', async () => {
    const { status, body } = await score('classifier', { inputs: { X: { data: X } } });
    expect([status, Object.keys(body)]).toEqual([200, ['model', 'version', 'outputs', 'latencyMs']]);
    const { label, probabilities } = sklearnCases['classifier']!.outputs;
    expect(body['outputs']).toMatchObject({
      label: { type: 'string', shape: [5], data: label },
      probabilities: {
        type: 'float32',
        shape: [5, 3],
        data: (probabilities as number[][]).map((row) => row.map((p) => expect.closeTo(p, 5) as number)),
      },
    });
  });

  test('return the requested outputs', async () => {
    const { body } = await score('classifier', { inputs: { X: { data: X } }, outputs: ['label'] });
    expect(Object.keys(body['outputs'] as object)).toEqual(['label']);
  });

  test('of a classifier with maps: a request for all outputs names the remedy, one for the label is answered', async () => {
    const all = await score('zipmap', { inputs: { X: { data: X } } });
    expect(all).toMatchObject({
      status: 422,
      body: {
        detail: expect.stringMatching(
          /output_probability .* Name the outputs .* output_label .*zipmap/,
        ) as string,
      },
    });
    const { body } = await score('zipmap', { inputs: { X: { data: X } }, outputs: ['output_label'] });
    expect(body['outputs']).toMatchObject({
      output_label: { data: sklearnCases['classifier-with-zipmap']!.outputs['output_label'] },
    });
  });

  test('keep every digit and infinity', async () => {
    const x = { data: [0.1, 'NaN', 'Infinity', '-Infinity', null, 1e300] };
    const { body } = await score('numbers', { inputs: { x, n: { data: '18446744073709551615' } } });
    expect(body['outputs']).toEqual({
      y: { type: 'float64', shape: [6], data: [0.1, 'NaN', 'Infinity', '-Infinity', 'NaN', 1e300] },
      m: { type: 'uint64', shape: [], data: '18446744073709551615' },
    });
  });

  test('of an answer are accepted as inputs', async () => {
    const first = await score('numbers', { inputs: { x: { data: [1, 2] }, n: { data: 3 } } });
    const { y, m } = first.body['outputs'] as { y: object; m: object };
    expect((await score('numbers', { inputs: { x: y, n: m } })).body['outputs']).toEqual({ y, m });
  });
});

describe('rows', () => {
  test('return predictions of the declared task', async () => {
    const rows = [
      { size: 1.5, count: 3 },
      { size: null, count: -1 },
    ];
    const { body } = await score('tabular', { rows });
    expect(body).toMatchObject({
      model: 'tabular',
      version: 1,
      predictions: [{ value: 1.5 }, { value: 'NaN' }],
    });
    expect(Object.keys(body)).toEqual(['model', 'version', 'predictions', 'latencyMs']);
  });

  test('return outputs when the request names them', async () => {
    const { body } = await score('tabular', { rows: [{ size: 1.5, count: 3 }], outputs: ['count as text'] });
    expect(body['outputs']).toEqual({ 'count as text': { type: 'string', shape: [1, 1], data: [['3']] } });
  });

  test('are refused for a model with one wide tensor, with the remedy', async () => {
    expect(await score('regressor', { rows: [{ X: 1 }] })).toMatchObject({
      status: 422,
      body: {
        detail: expect.stringMatching(
          /does not take rows: send its inputs as tensors.*X \(float32 \[\?, 10\]\)/,
        ) as string,
      },
    });
    const { body } = await score('regressor', { inputs: { X: { data: diabetes } } });
    expect(body['outputs']).toMatchObject({
      variable: { data: (values['variable'] as number[][]).map(([v]) => [expect.closeTo(v!, 3)]) },
    });
  });
});

describe('errors of bad requests name the place and the fault', () => {
  test.each<[string, unknown, number, RegExp]>([
    ['neither form', {}, 400, /give rows .* or inputs .*, one of the two/],
    ['both forms', { rows: [], inputs: {} }, 400, /one of the two/],
    ['no outputs', { inputs: {}, outputs: [] }, 400, /outputs/],
    ['a missing input', { inputs: {} }, 400, /Input "X" is missing/],
    ['an unknown input', { inputs: { Y: { data: 1 } } }, 400, /"Y" is not an input of this model; it has X/],
    [
      'a wrong element',
      { inputs: { X: { data: [[1, 2, 3, 'x']] } } },
      400,
      /Input "X"\[0, 3\] must be a number/,
    ],
    [
      'a wrong shape',
      { inputs: { X: { data: [[1, 2, 3]] } } },
      400,
      /must have the shape \[\?, 4\], not \[1, 3\]/,
    ],
    [
      'bare lists',
      { inputs: { X: [[1, 2, 3, 4]] } },
      400,
      /Input "X" must be \{"type"\?, "shape"\?, "data"\}/,
    ],
    ['an unknown output', { inputs: { X: { data: X } }, outputs: ['y'] }, 400, /"y" is not an output/],
    [
      'too many elements',
      { inputs: { X: { data: Array.from({ length: 250_001 }, () => [1, 2, 3, 4]) } } },
      413,
      /Input "X" of shape \[250001, 4\] is too large/,
    ],
    ['a name of the prototype', '{"inputs":{"__proto__":{"data":1}}}', 400, /"__proto__" is not an input/],
  ])('%s', async (_, body, status, detail) => {
    expect(await score('classifier', body)).toMatchObject({
      status,
      body: { detail: expect.stringMatching(detail) as string },
    });
  });
});
