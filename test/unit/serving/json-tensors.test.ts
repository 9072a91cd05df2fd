import { describe, expect, test } from 'vitest';
import { readTensors } from '../../../shared/domains/serving/json/read-tensors.ts';
import { writeTensors } from '../../../shared/domains/serving/json/write-tensors.ts';
import type { ModelValue } from '../../../shared/domains/serving/model-value.ts';

const inputs: readonly ModelValue[] = [
  { name: 'X', type: 'float32', shape: ['rows', 2] },
  { name: 'ids', type: 'int64', shape: ['rows'] },
];
const X = {
  data: [
    [1, 2],
    [3, 4],
  ],
};
const ids = { data: [7, '9007199254740993'] };
const read = (value: unknown, maxElements = 100) => readTensors(inputs, value, { maxElements });

test('reads nested lists, and flat lists with a shape', async () => {
  const expected = new Map<string, unknown>([
    ['X', { type: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ['ids', { type: 'int64', shape: [2], data: BigInt64Array.of(7n, 9007199254740993n) }],
  ]);
  expect(await read({ X, ids })).toEqual(expected);
  expect(
    await read({ ids: { shape: [2], ...ids }, X: { type: 'float32', shape: [2, 2], data: [1, 2, 3, 4] } }),
  ).toEqual(expected);
  expect(await read({ X: { shape: [2, 2], ...X }, ids })).toEqual(expected);
});

test('reads a scalar as a bare value, or as a list of one with a shape', async () => {
  const scalar: readonly ModelValue[] = [{ name: 's', type: 'bool', shape: [] }];
  for (const spec of [{ data: true }, { shape: [], data: true }, { shape: [], data: [true] }])
    expect((await readTensors(scalar, { s: spec }, { maxElements: 1 })).get('s')).toEqual({
      type: 'bool',
      shape: [],
      data: Uint8Array.of(1),
    });
});

describe('errors name the input and the index', () => {
  test.each<[string, unknown, RegExp]>([
    ['no object', [], /^The inputs must be an object of tensors by name, not a list/],
    ['null', null, /by name, not null/],
    [
      'an unknown input',
      { X, ids, Y: X },
      /^"Y" is not an input of this model; it has X \(float32 \[rows, 2\]\), ids /,
    ],
    ['a missing input', { X }, /^Input "ids" is missing/],
    ['an inherited input', Object.create({ X, ids }), /^Input "X" is missing/],
    ['bare lists', { X: [[1, 2]], ids }, /^Input "X" must be \{"type"\?, "shape"\?, "data"\}/],
    ['no data', { X: { shape: [1, 2] }, ids }, /^Input "X" must be .*data is missing/],
    ['a further member', { X: { ...X, dtype: 'f' }, ids }, /^Input "X" must be .*dtype/],
    ['a negative size', { X: { shape: [-1, 2], data: [1, 2] }, ids }, /^Input "X" must be .*shape\.0/],
    ['another type', { X: { type: 'int64', ...X }, ids }, /^Input "X" must be float32, not "int64"/],
    ['another rank', { X: { data: [1, 2] }, ids }, /^Input "X" must have the shape \[rows, 2\], not \[2\]/],
    [
      'another size',
      { X: { data: [[1, 2, 3]] }, ids },
      /^Input "X" must have the shape \[rows, 2\], not \[1, 3\]/,
    ],
    [
      'no rows without a shape',
      { X: { data: [] }, ids },
      /^Input "X" must have .*not \[0\]: declare its shape/,
    ],
    [
      'a short flat list',
      { X: { shape: [2, 2], data: [1, 2, 3] }, ids },
      /^Input "X" has 3 elements, and its shape \[2, 2\] 4/,
    ],
    ['a ragged list', { X: { data: [[1, 2], [3]] }, ids }, /^Input "X"\[1\] must have 2 elements, not 1/],
    ['a value for a list', { X: { data: [[1, 2], 3] }, ids }, /^Input "X"\[1\] must be a list of 2, not 3/],
    [
      'a list for a value',
      {
        X: {
          data: [
            [1, 2],
            [3, [4]],
          ],
        },
        ids,
      },
      /^Input "X"\[1, 1\] must be a number.*not a list/,
    ],
    [
      'a text',
      {
        X: {
          data: [
            [1, 2],
            [3, '4'],
          ],
        },
        ids,
      },
      /^Input "X"\[1, 1\] must be a number.*not "4"/,
    ],
    ['a text in a flat list', { X: { shape: [2, 2], data: [1, 2, 3, 'a'] }, ids }, /^Input "X"\[1, 1\] /],
    [
      'a number beyond float32',
      { X: { data: [[1e39, 2]] }, ids },
      /^Input "X"\[0, 0\] must be within float32/,
    ],
    ['a fraction', { X, ids: { data: [1.5, 2] } }, /^Input "ids"\[0\] must be a whole number/],
    [
      'an integer that JSON has rounded',
      { X, ids: { data: [1, 2 ** 53] } },
      /^Input "ids"\[1\] .*as a text of digits/,
    ],
    ['an integer beyond int64', { X, ids: { data: [1, '9223372036854775808'] } }, /^Input "ids"\[1\] /],
    ['a text of no digits', { X, ids: { data: [1, '0x10'] } }, /^Input "ids"\[1\] .*not "0x10"/],
    ['an empty text', { X, ids: { data: [1, ''] } }, /^Input "ids"\[1\] /],
  ])('%s', async (_, value, message) => {
    await expect(read(value)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message) as string,
    });
  });

  test.each<[string, string, unknown]>([
    ['int8', 'int8', 128],
    ['int16', 'int16', -32769],
    ['int32', 'int32', 2 ** 31],
    ['uint8', 'uint8', -1],
    ['uint16', 'uint16', 65536],
    ['uint32', 'uint32', 2 ** 32],
    ['uint64', 'uint64', -1],
    ['uint64', 'uint64', '18446744073709551616'],
    ['float16', 'float16', 65520],
    ['float64 that overflows', 'float64', 'infinity'],
    ['bool', 'bool', 1],
    ['a missing text', 'string', null],
    ['half a surrogate pair', 'string', '\ud800'],
    ['U+0000', 'string', 'a\u0000b'],
  ])('%s: %s of %j', async (_, type, element) => {
    await expect(
      readTensors([{ name: 'x', type, shape: ['n'] }], { x: { data: [element] } }, { maxElements: 1 }),
    ).rejects.toThrow(/^Input "x"\[0\] must /);
  });

  test('the first ten problems are listed', async () => {
    const data = Array.from({ length: 50 }, () => ['x', 'y']);
    await expect(read({ X: { data }, ids }, 1000)).rejects.toMatchObject({
      message: expect.stringMatching(/^Input "X"\[0, 0\] .* \(and 9 more\)\.$/) as string,
      details: {
        problems: Array.from({ length: 10 }, (_, i) => ({
          input: 'X',
          index: [i >> 1, i % 2],
          problem: expect.any(String) as string,
        })),
      },
    });
  });

  test('a type that no request can carry is an error of the model', async () => {
    await expect(
      readTensors([{ name: 'x', type: 'bfloat16', shape: [1] }], { x: { data: [1] } }, { maxElements: 1 }),
    ).rejects.toMatchObject({
      code: 'UNPROCESSABLE',
      message: expect.stringMatching(/x \(bfloat16 \[1\]\)/) as string,
    });
  });
});

describe('oversized inputs are refused before they are copied', () => {
  test.each<[string, unknown]>([
    [
      'more elements than allowed',
      {
        X: {
          data: [
            [1, 2],
            [3, 4],
          ],
        },
        ids: { data: [1] },
      },
    ],
    ['a shape without elements of a billion lists', { X: { shape: [1_000_000_000, 2], data: [] }, ids }],
  ])('%s', async (_, value) => {
    await expect(read(value, 4)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  test('a billion empty lists', async () => {
    const free: readonly ModelValue[] = [{ name: 'x', type: 'float32', shape: null }];
    await expect(
      readTensors(free, { x: { shape: [1_000_000_000, 0], data: [] } }, { maxElements: 100 }),
    ).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  test('lists nested a hundred thousand deep', async () => {
    const free: readonly ModelValue[] = [{ name: 'x', type: 'float32', shape: null }];
    const deep = JSON.parse(`${'['.repeat(100_000)}1${']'.repeat(100_000)}`) as unknown;
    await expect(readTensors(free, { x: { data: deep } }, { maxElements: 100 })).rejects.toThrow(
      /more than 16 dimensions/,
    );
    const late = JSON.parse(`[1,${'['.repeat(100_000)}1${']'.repeat(100_000)}]`) as unknown;
    await expect(readTensors(free, { x: { data: late } }, { maxElements: 100 })).rejects.toThrow(
      /^Input "x"\[1\] must be a number.*not a list/,
    );
  });
});

test('yields to the event loop while it reads many elements', async () => {
  let turns = 0;
  let ticking = setImmediate(function tick() {
    turns += 1;
    ticking = setImmediate(tick);
  });
  const data = Array.from({ length: 100_000 }, (_, i) => [i, i]);
  try {
    await readTensors(inputs.slice(0, 1), { X: { data } }, { maxElements: 200_000 });
    expect(turns).toBeGreaterThanOrEqual(10);
  } finally {
    clearImmediate(ticking);
  }
});

test('tensors are written as lists nested by their shape', () => {
  const of = (...shape: readonly number[]) => ({
    type: 'int32' as const,
    shape,
    data: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  });
  const written = writeTensors(
    new Map([
      ['scalar', of()],
      ['list', of(3)],
      ['cube', of(2, 1, 2)],
      ['empty', of(2, 0, 5)],
      ['__proto__', of(1)],
    ]),
  );
  expect(JSON.parse(JSON.stringify(written))).toEqual(
    JSON.parse(`{
      "scalar": {"type": "int32", "shape": [], "data": 0},
      "list": {"type": "int32", "shape": [3], "data": [0, 1, 2]},
      "cube": {"type": "int32", "shape": [2, 1, 2], "data": [[[0, 1]], [[2, 3]]]},
      "empty": {"type": "int32", "shape": [2, 0, 5], "data": [[], []]},
      "__proto__": {"type": "int32", "shape": [1], "data": [0]}
    }`),
  );
});
