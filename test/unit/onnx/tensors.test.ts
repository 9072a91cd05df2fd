import { afterAll, describe, expect, test } from 'vitest';
import { createOnnxScorer } from '../../../shared/adapters/onnx/scoring/scorer.ts';
import { readTensors } from '../../../shared/domains/serving/json/read-tensors.ts';
import { writeTensors, type JsonTensor } from '../../../shared/domains/serving/json/write-tensors.ts';
import type { RunOptions } from '../../../shared/domains/serving/scorer.ts';
import { findTask } from '../../../shared/domains/serving/tasks/catalog.ts';
import { createTensor, type Tensor, type TensorType } from '../../../shared/domains/serving/tensor.ts';
import {
  cast,
  createModel,
  identity,
  readSklearnModel,
  sequenceValue,
  sklearnCases,
  sourceOf,
  untypedValue,
  value,
} from '../../support/onnx/models.ts';

const workerUrl = new URL('../../../shared/workers/score.ts', import.meta.url);
const scorer = createOnnxScorer({ workerUrl }, { cacheBytes: 1e7, maxRows: 5000 });
afterAll(() => scorer.close());

async function run(model: Uint8Array, inputs: Record<string, Tensor>, options: RunOptions) {
  await using open = await scorer.open(sourceOf(model));
  return open.run(new Map(Object.entries(inputs)), options);
}

/** Elements at the edges of each type. */
const samples: { readonly [Type in TensorType]: readonly unknown[] } = {
  float32: [0.5, -0, 3.4028234663852886e38, 'Infinity', '-Infinity', 'NaN'],
  float64: [0.1, Number.MIN_VALUE, -Number.MAX_VALUE, 'Infinity', '-Infinity', 'NaN'],
  float16: [0.5, -65504, 5.960464477539063e-8, 'Infinity', '-Infinity', 'NaN'],
  int8: [0, -1, 1, -128, 127, 5],
  int16: [0, -1, 1, -32768, 32767, 5],
  int32: [0, -1, 1, -2147483648, 2147483647, 5],
  int64: [0, -1, 9007199254740991, '9007199254740993', '-9223372036854775808', '9223372036854775807'],
  uint8: [0, 1, 2, 3, 255, 5],
  uint16: [0, 1, 2, 3, 65535, 5],
  uint32: [0, 1, 2, 3, 4294967295, 5],
  uint64: [0, 1, 2, 9007199254740991, '9007199254740992', '18446744073709551615'],
  bool: [true, false, false, true, true, false],
  string: ['', 'a', 'Zürich', '\u{1f680}', 'x'.repeat(1000), '__proto__'],
};

describe.each(Object.entries(samples) as [TensorType, readonly unknown[]][])('%s', (type, elements) => {
  const model = createModel({
    nodes: [identity('x', 'y')],
    inputs: [value('x', type, ['a', 'b'])],
    outputs: [value('y', type, ['a', 'b'])],
  });
  const read = async (spec: object) =>
    readTensors([{ name: 'x', type, shape: ['a', 'b'] }], { x: spec }, { maxElements: 100 });
  const answerOf = async (spec: object): Promise<JsonTensor | undefined> => {
    const inputs = Object.fromEntries(await read(spec));
    return writeTensors(await run(model, inputs, { outputs: ['y'] }))['y'];
  };

  test('round-trips from JSON to JSON', async () => {
    const data = [elements.slice(0, 3), elements.slice(3)];
    expect(await answerOf({ data })).toEqual({ type, shape: [2, 3], data });
    expect(await answerOf({ type, shape: [3, 2], data: elements })).toEqual({
      type,
      shape: [3, 2],
      data: [elements.slice(0, 2), elements.slice(2, 4), elements.slice(4)],
    });
  });

  test('may be empty', async () => {
    expect(await answerOf({ shape: [0, 3], data: [] })).toEqual({ type, shape: [0, 3], data: [] });
    expect(await answerOf({ shape: [2, 0], data: [] })).toEqual({ type, shape: [2, 0], data: [[], []] });
  });

  test('gives the same result in chunks of rows', async () => {
    const rows = 2_500;
    const tensor = createTensor(type, [rows, 2]);
    const one = await read({ data: [elements.slice(0, 2)] });
    for (let index = 0; index < rows * 2; index += 7)
      (tensor.data as unknown[])[index] = one.get('x')?.data[index % 2];
    const chunked = await run(model, { x: tensor }, { outputs: ['y'], rows });
    const whole = await run(model, { x: tensor }, { outputs: ['y'] });
    expect(chunked.get('y')).toEqual(whole.get('y'));
    expect(chunked.get('y')).toEqual(tensor);
  });
});

test.each<[string, readonly (number | string)[] | undefined, Tensor]>([
  ['a scalar', [], { type: 'float32', shape: [], data: Float32Array.of(7) }],
  ['rank 1', ['n'], { type: 'float32', shape: [2], data: Float32Array.of(7, 8) }],
  ['rank 4', [1, 'n', 2, 1], { type: 'float32', shape: [1, 1, 2, 1], data: Float32Array.of(7, 8) }],
  ['a free rank, taken as 3', undefined, { type: 'float32', shape: [1, 2, 1], data: Float32Array.of(7, 8) }],
])('%s', async (_, shape, tensor) => {
  const model = createModel({
    nodes: [identity('x', 'y')],
    inputs: [value('x', 'float32', shape)],
    outputs: [value('y', 'float32', shape)],
  });
  expect((await run(model, { x: tensor }, { outputs: ['y'] })).get('y')).toEqual(tensor);
});

test('several inputs and outputs are matched by name, __proto__ and constructor included', async () => {
  const model = createModel({
    nodes: [{ op: 'Add', inputs: ['__proto__', 'b'], output: 'constructor' }, cast('b', 'as text', 'string')],
    inputs: [value('__proto__', 'int64', ['n']), value('b', 'int64', ['n'])],
    outputs: [value('constructor', 'int64', ['n']), value('as text', 'string', ['n'])],
  });
  const of = (...values: readonly bigint[]): Tensor => ({
    type: 'int64',
    shape: [values.length],
    data: BigInt64Array.from(values),
  });
  const inputs = new Map([
    ['__proto__', of(1n, 2n ** 60n)],
    ['b', of(2n, 1n)],
  ]);
  await using open = await scorer.open(sourceOf(model));
  const outputs = await open.run(inputs, { outputs: ['as text', 'constructor'] });
  expect([...outputs.keys()]).toEqual(['as text', 'constructor']);
  expect(outputs.get('constructor')).toEqual(of(3n, 2n ** 60n + 1n));
  expect(outputs.get('as text')?.data).toEqual(['2', '1']);
  expect((await open.run(inputs, { outputs: ['constructor'] })).size).toBe(1);
});

describe('inputs are checked before the run, by name', () => {
  const model = createModel({
    nodes: [{ op: 'Add', inputs: ['a', 'b'], output: 'y' }],
    inputs: [value('a', 'float32', ['n', 2]), value('b', 'float32', ['n', 2])],
    outputs: [value('y', 'float32', ['n', 2])],
  });
  const good: Tensor = { type: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) };
  test.each<[string, Record<string, Tensor>, RegExp]>([
    ['a missing input', { a: good }, /Input b \(float32 \[n, 2\]\) is missing/],
    ['an unknown input', { a: good, b: good, c: good }, /"c" is not an input of this model; it has a .*, b /],
    [
      'another type',
      { a: good, b: { ...good, type: 'float64', data: Float64Array.of(1, 2) } },
      /"b" must be float32, not float64/,
    ],
    ['another rank', { a: good, b: { ...good, shape: [2] } }, /"b" must have the shape \[n, 2\], not \[2\]/],
    [
      'another size',
      { a: good, b: { ...good, shape: [2, 1] } },
      /"b" must have the shape \[n, 2\], not \[2, 1\]/,
    ],
    [
      'too few elements',
      { a: good, b: { ...good, shape: [2, 2] } },
      /"b" has 2 elements, and its shape \[2, 2\] 4/,
    ],
  ])('%s', async (_, inputs, message) => {
    await expect(run(model, inputs, { outputs: ['y'] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message) as string,
    });
  });

  test('rethrows errors of the model', async () => {
    const three = { ...good, shape: [3, 2], data: new Float32Array(6) };
    const two = { ...good, shape: [2, 2], data: new Float32Array(4) };
    await expect(run(model, { a: two, b: three }, { outputs: ['y'] })).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/cannot be run/) as string,
    });
  });
});

describe('outputs that would abort the process or throw are refused before the run', () => {
  const inputs = [value('x', 'float32', ['n'])];
  const z = [identity('x', 'z'), value('z', 'float32', ['n'])] as const;
  const x: Tensor = { type: 'float32', shape: [1], data: Float32Array.of(1) };
  test.each<[string, Uint8Array, RegExp]>([
    [
      'int4',
      createModel({
        nodes: [cast('x', 'y', 'int4'), z[0]],
        inputs,
        outputs: [value('y', 'int4', ['n']), z[1]],
      }),
      /y \(int4 \[n\]\) cannot be answered\. Name the outputs that you want: z/,
    ],
    [
      'int4 that the file does not declare',
      createModel({ nodes: [cast('x', 'y', 'int4'), z[0]], inputs, outputs: [untypedValue('y'), z[1]] }),
      /y \(int4 \[n\]\) cannot be answered/,
    ],
    [
      'a sequence',
      createModel({
        nodes: [{ op: 'SequenceConstruct', inputs: ['x'], output: 'y' }, z[0]],
        inputs,
        outputs: [sequenceValue('y'), z[1]],
      }),
      /y \(not a tensor of any shape\) cannot be answered\. Name the outputs .* z .*zipmap/,
    ],
  ])('%s', async (_, model, message) => {
    for (const rows of [{}, { rows: 1 }])
      await expect(run(model, { x }, { outputs: ['z', 'y'], ...rows })).rejects.toMatchObject({
        code: 'UNPROCESSABLE',
        message: expect.stringMatching(message) as string,
      });
    // The other outputs are available.
    expect((await run(model, { x }, { outputs: ['z'] })).get('z')).toEqual(x);
  });

  test('a model of a type that the runtime cannot load is refused', async () => {
    const model = createModel({
      nodes: [identity('x', 'y')],
      inputs: [value('x', 'bfloat16', ['n'])],
      outputs: [value('y', 'bfloat16', ['n'])],
    });
    await expect(scorer.open(sourceOf(model))).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/cannot be loaded: Unsupported data type: 16/) as string,
    });
  });

  test('an unknown output is refused by name', async () => {
    const model = createModel({ nodes: [z[0]], inputs, outputs: [z[1]] });
    await expect(run(model, { x }, { outputs: ['y'] })).rejects.toThrow(
      /no output "y"; it has z \(float32 \[n\]\)/,
    );
  });
});

test('an output without one value per row is refused when rows are chunked', async () => {
  const model = createModel({
    nodes: [{ op: 'Shape', inputs: ['x'], output: 'y' }],
    inputs: [value('x', 'float32', ['n', 1])],
    outputs: [value('y', 'int64', ['k'])],
  });
  const x = createTensor('float32', [3000, 1]);
  await expect(run(model, { x }, { outputs: ['y'], rows: 3000 })).rejects.toThrow(
    /output "y" does not have a value for each row/,
  );
});

test('limits the queued elements', async () => {
  const model = createModel({
    nodes: [identity('x', 'y')],
    inputs: [value('x', 'float32', ['n'])],
    outputs: [value('y', 'float32', ['n'])],
  });
  const small = createOnnxScorer({ workerUrl }, { cacheBytes: 1e6, maxRows: 10 });
  const inputs = new Map<string, Tensor>([['x', createTensor('float32', [100_000])]]);
  await using open = await small.open(sourceOf(model));
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => open.run(inputs, { outputs: ['y'] })),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
  expect(results.at(-1)).toMatchObject({ reason: { code: 'RATE_LIMITED' } });
  expect((await open.run(inputs, { outputs: ['y'] })).size).toBe(1);
  await small.close();
});

describe('models of scikit-learn, as users log them', () => {
  const predict = async (name: string) => {
    await using open = await scorer.open(sourceOf(readSklearnModel(name)));
    const { task, inputs } = open.description;
    const { X } = sklearnCases[name]!;
    const tensors = await readTensors(inputs, { X: { data: X } }, { maxElements: 1000 });
    const reader = findTask(task);
    const tensorOutputs = Object.keys(sklearnCases[name]!.outputs);
    return {
      task,
      outputs: writeTensors(await open.run(tensors, { outputs: tensorOutputs })),
      predictions: reader.predict(task, await open.run(tensors, { outputs: tensorOutputs }), X.length),
    };
  };

  test.each(Object.keys(sklearnCases))('%s answers as in Python', async (name) => {
    const { outputs } = await predict(name);
    for (const [output, expected] of Object.entries(sklearnCases[name]!.outputs)) {
      const found = (outputs[output]!.data as readonly unknown[]).flat();
      for (const [index, number] of expected.flat().entries())
        if (typeof number === 'number') expect(found[index]).toBeCloseTo(number, 4);
        else expect(found[index]).toBe(number);
    }
  });

  test.each<[string, object]>([
    [
      'classifier',
      {
        task: 'multiclass',
        label: 'label',
        probabilities: 'probabilities',
        classes: ['setosa', 'versicolor', 'virginica'],
      },
    ],
    [
      'classifier-of-numbers',
      { task: 'multiclass', label: 'label', probabilities: 'probabilities', classes: [-1, 0, 1] },
    ],
    ['classifier-with-zipmap', { task: 'raw' }],
    ['classifier-without-classes', { task: 'raw' }],
    ['binary', { task: 'binary', probability: 'probabilities' }],
    ['regressor', { task: 'raw' }],
    ['regressor-declared', { task: 'regression', value: 'variable' }],
  ])('%s has its task', async (name, task) => {
    expect((await predict(name)).task).toEqual(task);
  });

  test('a classifier predicts its label with the highest probability', async () => {
    const { predictions } = await predict('classifier');
    const { outputs } = sklearnCases['classifier']!;
    expect(predictions.map((one) => ('probabilities' in one ? one.label : undefined))).toEqual(
      outputs['label'],
    );
    expect(predictions[0]).toMatchObject({
      label: 'setosa',
      probabilities: { setosa: expect.closeTo(0.98, 1) },
    });
  });
});
