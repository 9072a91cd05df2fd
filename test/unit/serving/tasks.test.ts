import { describe, expect, test } from 'vitest';
import type { Metric } from '../../../shared/core/stats/metrics/metric.ts';
import { metrics } from '../../../shared/core/stats/metrics/catalog.ts';
import type { ModelValue } from '../../../shared/domains/serving/model-value.ts';
import { bindTask, evaluate, findTask, tasks } from '../../../shared/domains/serving/tasks/catalog.ts';
import type { Classes } from '../../../shared/domains/serving/tasks/task.ts';
import type { Tensor } from '../../../shared/domains/serving/tensor.ts';

type Shape = ModelValue['shape'];
const output = (name: string, type: string, shape: Shape): ModelValue => ({ name, type, shape });
const facts = (outputs: readonly ModelValue[], classes: Classes | null = null) => ({ outputs, classes });
const floats = (...shape: readonly [number, ...number[]]) => ({
  of: (...data: readonly number[]): Tensor => ({ type: 'float32', shape, data: Float32Array.from(data) }),
});

const sklearn = [output('label', 'int64', ['?']), output('probabilities', 'float32', ['?', 3])];

describe('a model that declares nothing', () => {
  test.each<[string, readonly ModelValue[], Classes | null, object]>([
    [
      'is binary with a float32 output "probability"',
      [output('probability', 'float32', ['rows', 1]), output('label', 'int64', ['rows', 1])],
      null,
      { task: 'binary', probability: 'probability' },
    ],
    [
      'is binary also if that output has no declared shape',
      [output('probability', 'float32', null)],
      null,
      { task: 'binary', probability: 'probability' },
    ],
    [
      'is raw if that output is float64',
      [output('probability', 'float64', ['rows', 1])],
      null,
      { task: 'raw' },
    ],
    ['is raw if that output is wide', [output('probability', 'float32', ['rows', 2])], null, { task: 'raw' }],
    [
      'is multiclass with the outputs of a scikit-learn classifier and its classes',
      sklearn,
      [0, 1, 2],
      { task: 'multiclass', label: 'label', probabilities: 'probabilities', classes: [0, 1, 2] },
    ],
    [
      'is multiclass also by the names of the older converter',
      [output('output_label', 'string', ['N']), output('output_probability', 'float32', ['N', 2])],
      ['no', 'yes'],
      {
        task: 'multiclass',
        label: 'output_label',
        probabilities: 'output_probability',
        classes: ['no', 'yes'],
      },
    ],
    ['is raw without those classes', sklearn, null, { task: 'raw' }],
    ['is raw if there are more probabilities than classes', sklearn, [0, 1], { task: 'raw' }],
    ['is raw if the label is no class', sklearn, ['a', 'b', 'c'], { task: 'raw' }],
    ['is raw with a third output', [...sklearn, output('z', 'float32', [1])], [0, 1, 2], { task: 'raw' }],
    [
      'is raw if the probabilities are maps',
      [output('output_label', 'int64', ['?']), output('output_probability', 'not a tensor', null)],
      [0, 1, 2],
      { task: 'raw' },
    ],
    ['is raw with one number a row', [output('variable', 'float32', ['?', 1])], null, { task: 'raw' }],
    ['is raw without outputs', [], null, { task: 'raw' }],
  ])('%s', (_, outputs, classes, expected) => {
    expect(bindTask(facts(outputs, classes))).toEqual(expected);
  });
});

describe('a model that declares its task', () => {
  const scores = output('scores', 'float64', ['?', 3]);
  test.each<[string, readonly ModelValue[], Classes | null, object]>([
    [
      'regression',
      [output('variable', 'float32', ['?', 1])],
      null,
      { task: 'regression', value: 'variable' },
    ],
    [
      '{"task":"regression","value":"b"}',
      [output('a', 'float32', ['?', 1]), output('b', 'float16', ['?'])],
      null,
      { task: 'regression', value: 'b' },
    ],
    ['raw', [output('probability', 'float32', ['rows', 1])], null, { task: 'raw' }],
    [
      '{"task":"binary","probability":"p"}',
      [output('p', 'float32', ['?', 2])],
      null,
      { task: 'binary', probability: 'p' },
    ],
    [
      ' {"task": "multiclass", "classes": ["a", "b", "c"]}',
      [scores],
      null,
      { task: 'multiclass', probabilities: 'scores', classes: ['a', 'b', 'c'] },
    ],
    ['multiclass', [scores], [7, 8, 9], { task: 'multiclass', probabilities: 'scores', classes: [7, 8, 9] }],
  ])('%s', (declaration, outputs, classes, expected) => {
    expect(bindTask(facts(outputs, classes), declaration)).toEqual(expected);
  });

  test.each<[string, RegExp]>([
    ['ranking', /"ranking" is not a task; there is binary, multiclass, regression, raw/],
    ['constructor', /"constructor" is not a task/],
    ['{"task":5}', /"" is not a task/],
    ['{"task":"regression","vlaue":"b"}', /vlaue/],
    ['regression', /declare "value", one of label \(int64 \[\?\]\), probabilities \(float32 \[\?, 3\]\)/],
    ['{"task":"regression","value":"gone"}', /no output "gone", only label/],
    [
      '{"task":"regression","value":"probabilities"}',
      /probabilities \(float32 \[\?, 3\]\) is not one float a row/,
    ],
    ['{"task":"binary","probability":"probabilities"}', /one or two floats a row/],
    ['binary', /no output "probability"/],
    ['multiclass', /does not say its classes/],
    ['{"task":"multiclass","classes":["a","a","b"]}', /two classes are equal/],
    ['{"task":"multiclass","classes":["a","b"]}', /is not 2 floats a row/],
    [
      '{"task":"multiclass","classes":["a","b","c"],"label":"probabilities"}',
      /not one int64 or string a row/,
    ],
  ])('%s is refused, saying why', (declaration, why) => {
    expect(() => bindTask(facts(sklearn), declaration)).toThrow(
      expect.objectContaining({ name: 'RangeError', message: expect.stringMatching(why) as string }),
    );
  });

  test('broken JSON is refused', () => {
    expect(() => bindTask(facts(sklearn), '{"task"')).toThrow(SyntaxError);
  });
});

describe('predictions', () => {
  const predict = (task: Parameters<typeof findTask>[0], outputs: Record<string, Tensor>, rows: number) =>
    findTask(task).predict(task, new Map(Object.entries(outputs)), rows);

  test('binary: the probability, and the class at a threshold of one half', () => {
    const task = { task: 'binary', probability: 'p' } as const;
    expect(predict(task, { p: floats(3, 1).of(0.25, 0.5, NaN) }, 3)).toEqual([
      { probability: 0.25, label: false },
      { probability: 0.5, label: true },
      { probability: 'NaN', label: false },
    ]);
    expect(predict(task, { p: floats(2, 2).of(0.75, 0.25, 0, 1) }, 2)).toEqual([
      { probability: 0.25, label: false },
      { probability: 1, label: true },
    ]);
  });

  test('multiclass: the label and a probability for each class', () => {
    const probabilities = floats(2, 3).of(0.5, 0.25, 0.25, 0, Infinity, 1);
    const classes = ['a', '__proto__', 'c'];
    const bare = { task: 'multiclass', probabilities: 'p', classes } as const;
    const found = predict(bare, { p: probabilities }, 2);
    expect(JSON.stringify(found)).toBe(
      '[{"label":"a","probabilities":{"a":0.5,"__proto__":0.25,"c":0.25}},' +
        '{"label":"__proto__","probabilities":{"a":0,"__proto__":"Infinity","c":1}}]',
    );
    const labelled = { ...bare, label: 'l', classes: [7, 8, 9] };
    const l: Tensor = { type: 'int64', shape: [2, 1], data: BigInt64Array.of(9n, 2n ** 60n) };
    expect(predict(labelled, { p: probabilities, l }, 2)).toMatchObject([
      { label: 9, probabilities: { 7: 0.5 } },
      { label: '1152921504606846976', probabilities: { 9: 1 } },
    ]);
  });

  test('regression: the value, also of float16', () => {
    const task = { task: 'regression', value: 'y' } as const;
    const y: Tensor = { type: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0xfc00) };
    expect(predict(task, { y }, 2)).toEqual([{ value: 1 }, { value: '-Infinity' }]);
  });

  test.each<[string, Tensor | undefined]>([
    ['absent', undefined],
    ['a text', { type: 'string', shape: [2], data: ['0.5', '0.5'] }],
    ['one value for all rows', floats(1).of(0.5)],
    ['two values a row', floats(2, 2).of(1, 2, 3, 4)],
    ['rows across', floats(1, 2).of(1, 2)],
  ])('an output that is %s is refused by name', (_, tensor) => {
    expect(() =>
      predict({ task: 'regression', value: 'y' }, tensor === undefined ? {} : { y: tensor }, 2),
    ).toThrow(
      expect.objectContaining({
        code: 'UNPROCESSABLE',
        message: 'The model\'s output "y" is not one float for each row.',
      }),
    );
  });

  test('a label for another number of rows is refused', () => {
    const task = { task: 'multiclass', probabilities: 'p', label: 'l', classes: ['a', 'b'] } as const;
    const l: Tensor = { type: 'string', shape: [1], data: ['a'] };
    expect(() => predict(task, { p: floats(2, 2).of(1, 0, 1, 0), l }, 2)).toThrow(
      /"l" is not one int64 or string/,
    );
  });
});

test.each(Object.entries(tasks))('every prediction of %s fits its schema', (name, { prediction }) => {
  const shown = {
    binary: { probability: 0.5, label: true },
    multiclass: { label: 'a', probabilities: { a: 1, b: 'NaN' } },
    regression: { value: 'Infinity' },
    raw: undefined,
  }[name];
  expect(prediction.safeParse(shown).success).toBe(name !== 'raw');
});

test('every metric of a task can be computed for that task', () => {
  for (const [name, task] of Object.entries(tasks))
    for (const metric of task.metrics) {
      const { compute }: Metric = metrics[metric];
      expect(Object.keys(compute)).toContain(name);
    }
  const targets = Float64Array.of(1, 2, 3);
  expect(evaluate('regression', { predictions: targets, targets })).toEqual({
    rmseDistance: 0,
    maeDistance: 0,
    r2Score: 1,
  });
});
