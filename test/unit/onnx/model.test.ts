import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeModel,
  floatTensor,
  rowsOf,
  type Node,
} from '../../../shared/adapters/onnx/files/onnx-proto.ts';
import { integersOf, messagesOf, readFields } from '../../../shared/adapters/onnx/files/protobuf-reader.ts';
import {
  bytesField,
  concat,
  encodeVarint,
  intField,
  messageField,
  textField,
} from '../../../shared/adapters/onnx/files/protobuf-writer.ts';
import { readModel } from '../../../shared/adapters/onnx/files/read-model.ts';
import type { ModelValue } from '../../../shared/domains/serving/model-value.ts';
import { encodeWithTask, writeModel } from '../../../shared/adapters/onnx/files/write-model.ts';
import type { ModelTask } from '../../../shared/domains/serving/tasks/catalog.ts';
import { createModel, identity, value } from '../../support/onnx/models.ts';
import { fitGolden, goldenMetadata, goldenSignature } from '../../support/training/golden-logistic.ts';

const goldenBytes = readFileSync(new URL('../../golden/onnx/logistic.onnx', import.meta.url));

describe('protobuf', () => {
  test('encodes varints as specified', () => {
    expect([...encodeVarint(1)]).toEqual([0x01]);
    expect([...encodeVarint(150)]).toEqual([0x96, 0x01]);
    expect([...encodeVarint(2 ** 32)]).toEqual([0x80, 0x80, 0x80, 0x80, 0x10]);
    for (const bad of [-1, 0.5, 2 ** 53, NaN]) expect(() => encodeVarint(bad)).toThrow(RangeError);
  });

  test('round-trips fields', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.maxSafeInteger(),
        fc.string(),
        (field, number, text) => {
          const value = Math.abs(number);
          const bytes = concat([intField(field, value), textField(field + 1, text)]);
          expect([...readFields(bytes)]).toEqual([
            { number: field, value },
            { number: field + 1, value: new TextEncoder().encode(text) },
          ]);
        },
      ),
    );
  });

  test("a varint is an int64 in two's complement, exact up to 2^53", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }), (value) => {
        const bytes: number[] = [8];
        for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
          if (rest < 128n) {
            bytes.push(Number(rest));
            break;
          }
          bytes.push(Number(rest & 127n) + 128);
        }
        const message = Uint8Array.from(bytes);
        expect([...readFields(message)]).toEqual([{ number: 1, value: Number(value) }]);
        expect([...integersOf(message, 1)]).toEqual([Number(value)]);
      }),
    );
  });

  test('skips fixed-width fields', () => {
    const fixed = Uint8Array.of(1 * 8 + 5, 1, 2, 3, 4, 2 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8, 3 * 8, 9);
    expect([...readFields(fixed)].at(-1)).toEqual({ number: 3, value: 9 });
  });

  test('damaged bytes are a RangeError', () => {
    for (const bytes of [
      [0x0a, 5, 1],
      [0x08],
      [0x0b, 0],
      [0x00, 0],
      [0x08, ...Array(11).fill(0xff)],
      [0x0a, ...minusOne],
    ])
      expect(() => [...readFields(Uint8Array.from(bytes))]).toThrow(RangeError);
  });
});

describe('writing', () => {
  test('training and writing give the golden bytes', async () => {
    const bytes = writeModel(await fitGolden(), goldenSignature, goldenMetadata);
    expect(Buffer.from(bytes).equals(goldenBytes)).toBe(true);
  });

  test('the order of keys in metadata and signature does not matter', async () => {
    const { columns, inputs } = goldenSignature;
    const turned = Object.fromEntries(Object.entries(goldenMetadata).reverse());
    const bytes = writeModel(await fitGolden(), { inputs, columns }, turned);
    expect(Buffer.from(bytes).equals(goldenBytes)).toBe(true);
  });
});

describe('the task of a written model', () => {
  const encode = (type: 'float32' | 'float64', name: string, task: ModelTask) =>
    readModel(
      encodeWithTask(task, (metadata) =>
        createModel({
          nodes: [identity('x', name)],
          inputs: [value('x', type, ['rows', 3])],
          outputs: [value(name, type, ['rows', name === 'probabilities' ? 3 : 1])],
          metadata,
        }),
      ),
    );

  test('is omitted where readers infer it', () => {
    const { task, metadata } = encode('float32', 'probability', {
      task: 'binary',
      probability: 'probability',
    });
    expect(task).toEqual({ task: 'binary', probability: 'probability' });
    expect(metadata).toEqual({});
  });

  test.each<[string, ModelTask]>([
    ['prediction', { task: 'regression', value: 'prediction' }],
    ['probabilities', { task: 'multiclass', probabilities: 'probabilities', classes: ['a', 'b', '"c"'] }],
    ['probability', { task: 'raw' }],
  ])('is written for the output "%s" of %j', (name, task) => {
    const found = encode('float32', name, task);
    expect(found.task).toEqual(task);
    expect(Object.keys(found.metadata)).toEqual(['slipway.task']);
  });
});

describe('reading', () => {
  test('reads opsets, inputs, outputs, metadata, signature and task', () => {
    expect(readModel(goldenBytes)).toEqual({
      irVersion: 8,
      producer: 'slipway',
      opsets: [
        { domain: 'ai.onnx', version: 17 },
        { domain: 'ai.onnx.ml', version: 4 },
      ],
      inputs: [
        { name: 'distance', type: 'float32', shape: ['rows', 1] },
        { name: 'load', type: 'float32', shape: ['rows', 1] },
        { name: 'airport', type: 'string', shape: ['rows', 1] },
        { name: 'date.hourOfDay', type: 'int64', shape: ['rows', 1] },
      ],
      outputs: [
        { name: 'probability', type: 'float32', shape: ['rows', 1] },
        { name: 'label', type: 'int64', shape: ['rows', 1] },
      ],
      metadata: { ...goldenMetadata, 'slipway.signature': expect.any(String) },
      weightFiles: [],
      signature: goldenSignature,
      task: { task: 'binary', probability: 'probability' },
    });
  });

  test('a model without a signature uses its inputs as columns', () => {
    expect(readModel(tinyModel({})).signature).toEqual({
      columns: [{ name: 'x', type: 'number' }],
      inputs: [{ name: 'x', tensor: 'float32', column: 'x' }],
    });
    expect(readModel(tinyModel({ inputType: 'float64' })).signature).toBeNull();
  });

  test.each<[string, readonly Bytes[] | null, ModelValue['shape']]>([
    ['a size', [messageField(1, [intField(1, 4)])], [4]],
    ['a name', [messageField(1, [textField(2, 'rows')])], ['rows']],
    ['neither', [messageField(1, [])], ['?']],
    ['an empty name', [messageField(1, [textField(2, '')])], ['?']],
    ['the size -1', [messageField(1, [bytesOfMinusOne])], ['?']],
    ['the size 0', [messageField(1, [intField(1, 0)])], [0]],
    ['no dimensions', [], []],
    ['no shape', null, null],
  ])('a dimension with %s', (_, dimensions, shape) => {
    const tensor = [intField(1, 1), ...(dimensions === null ? [] : [messageField(2, dimensions)])];
    const input = [textField(1, 'x'), messageField(2, [messageField(1, tensor)])];
    expect(readModel(tinyModel({ input })).inputs).toEqual([{ name: 'x', type: 'float32', shape }]);
  });

  test('only an input of one column can be filled from rows', () => {
    const of = (...sizes: readonly number[]) => {
      const shape = messageField(
        2,
        sizes.map((size) => messageField(1, [intField(1, size)])),
      );
      return [textField(1, 'x'), messageField(2, [messageField(1, [intField(1, 1), shape])])];
    };
    expect(readModel(tinyModel({ input: of(1, 1) })).signature).not.toBeNull();
    for (const input of [of(1, 4), of(1), of(1, 1, 1), of()])
      expect(readModel(tinyModel({ input })).signature).toBeNull();
  });

  test('reads a declared task, and refuses one that does not fit with the reason', () => {
    const declare = (task: string) => readModel(tinyModel({ metadata: { 'slipway.task': task } }));
    expect(declare('regression').task).toEqual({ task: 'regression', value: 'y' });
    expect(readModel(tinyModel({})).task).toEqual({ task: 'raw' });
    for (const [task, why] of [
      ['ranking', /"slipway\.task" cannot be used: "ranking" is not a task/],
      ['{', /"slipway\.task" cannot be used: .*JSON/],
      ['{"task":"regression","value":"z"}', /no output "z"/],
    ] as const)
      expect(() => declare(task)).toThrow(
        expect.objectContaining({ code: 'UNPROCESSABLE', message: expect.stringMatching(why) as string }),
      );
  });

  test('classes are those of the classifier nodes, unless two lists differ', () => {
    const list = (name: string, ...values: readonly number[]) => [
      textField(1, name),
      ...values.map((value) => (value < 0 ? fieldOfMinusOne(8) : intField(8, value))),
      intField(20, 7),
    ];
    const packed = [textField(1, 'classlabels_int64s'), bytesField(8, Uint8Array.of(3, 1))];
    const classes = (...attributes: Message[]) =>
      readModel(
        tinyModel({
          attributes,
          metadata: { 'slipway.task': '{"task":"multiclass","probabilities":"y"}' },
          outputs: [floats('y', 2)],
        }),
      ).task;
    expect(classes(list('classlabels_ints', -1, 1))).toMatchObject({ classes: [-1, 1] });
    expect(classes(packed)).toMatchObject({ classes: [3, 1] });
    expect(classes(packed, list('classlabels_ints', 3, 1))).toMatchObject({ classes: [3, 1] });
    for (const attributes of [[], [packed, list('classlabels_ints', 1, 3)], [list('classlabels_ints')]])
      expect(() => classes(...attributes)).toThrow(/does not say its classes/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /it has no graph/],
    ['a text', Buffer.from('this is not a model'), /not an ONNX model/],
    ['a cut model', goldenBytes.subarray(0, goldenBytes.length - 40), /runs over the end/],
    [
      'a signature that is not JSON',
      tinyModel({ metadata: { 'slipway.signature': '{' } }),
      /not an ONNX model: .*JSON/,
    ],
    ['an empty signature', tinyModel({ metadata: { 'slipway.signature': '{}' } }), /signature is damaged/],
    [
      'a signature of another model',
      tinyModel({ metadata: { 'slipway.signature': JSON.stringify(goldenSignature) } }),
      /names an input "distance"/,
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readModel(bytes)).toThrow(
      expect.objectContaining({ code: 'UNPROCESSABLE', message: expect.stringMatching(message) }),
    );
  });

  const nested = (...parts: Message) => [textField(1, 'body'), messageField(6, parts)];
  test.each<[string, Parameters<typeof tinyModel>[0]]>([
    ['an initializer', { initializer: externalTensor('w/a.bin') }],
    ['an attribute', { attribute: [textField(1, 'value'), messageField(5, externalTensor('w/a.bin'))] }],
    [
      'a sparse attribute',
      { attribute: [textField(1, 'value'), messageField(22, [messageField(2, externalTensor('w/a.bin'))])] },
    ],
    ['a nested graph', { attribute: nested(messageField(5, externalTensor('./w//a.bin'))) }],
    [
      'a sparse tensor of a nested graph',
      { attribute: nested(messageField(15, [messageField(1, externalTensor('w/a.bin'))])) },
    ],
  ])('finds the weights of %s in another file', (_, change) => {
    expect(readModel(tinyModel(change)).weightFiles).toEqual(['w/a.bin']);
  });

  test.each([
    '/etc/passwd',
    '../secret',
    'a/../../secret',
    'a/..',
    '.',
    '',
    'a/',
    'C:\\secret',
    'a\\..\\b',
    '*/_ORT_MEM_ADDR_/*',
    'a\u0000b',
    'x'.repeat(256),
  ])('weights in %j are refused', (location) => {
    const inFunction = concat([
      Uint8Array.from(tinyModel({})),
      messageField(25, [messageField(11, [messageField(5, externalTensor(location))])]),
    ]);
    for (const bytes of [tinyModel({ initializer: externalTensor(location) }), inFunction])
      expect(() => readModel(bytes)).toThrow(
        expect.objectContaining({
          code: 'UNPROCESSABLE',
          message: expect.stringMatching(/not the path of a file in its folder/) as string,
        }),
      );
  });

  test('weights in a file without a name are refused', () => {
    const initializer = [...floatTensor('w', [1], []), intField(14, 1)];
    expect(() => readModel(tinyModel({ initializer }))).toThrow(/does not name it/);
  });

  test('damaged models are always UNPROCESSABLE', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(goldenBytes.length - 1), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
        }),
        (changes) => {
          const damaged = Uint8Array.from(goldenBytes);
          for (const [at, value] of changes) damaged[at] = value;
          try {
            readModel(damaged);
          } catch (error) {
            expect(error).toMatchObject({ code: 'UNPROCESSABLE' });
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

type Message = ReturnType<typeof floatTensor>;
type Bytes = Message[number];

/** A tensor whose data is said to be in another file. */
function externalTensor(location: string): Message {
  return [
    ...floatTensor('w', [1], []),
    messageField(13, [textField(1, 'location'), textField(2, location)]),
    intField(14, 1),
  ];
}

/** The varint of -1, as int64: ten bytes. */
const minusOne = Uint8Array.of(...Array.from({ length: 9 }, () => 0xff), 1);
const fieldOfMinusOne = (field: number) => concat([Uint8Array.of(field * 8), minusOne]);
const bytesOfMinusOne = fieldOfMinusOne(1);

/** A float32 output of [rows, width]. */
function floats(name: string, width: number): Message {
  const shape = [messageField(1, [textField(2, 'rows')]), messageField(1, [intField(1, width)])];
  return [textField(1, name), messageField(2, [messageField(1, [intField(1, 1), messageField(2, shape)])])];
}

/** y = Identity(x), by another writer. */
function tinyModel(change: {
  readonly inputType?: 'float64';
  readonly input?: Message;
  readonly outputs?: readonly Message[];
  readonly metadata?: Record<string, string>;
  readonly initializer?: Message;
  readonly attribute?: Message;
  readonly attributes?: readonly Message[];
}): Uint8Array {
  const { inputType = 'float32', metadata = {}, initializer, attribute } = change;
  const node: Node = {
    op: 'Identity',
    inputs: ['x'],
    output: 'y',
    attributes: attribute === undefined ? (change.attributes ?? []) : [attribute],
  };
  const bytes = encodeModel({
    graph: {
      name: 'tiny',
      nodes: [node],
      initializers: initializer === undefined ? [] : [initializer],
      inputs: [change.input ?? rowsOf('x', inputType)],
      outputs: change.outputs ?? [rowsOf('y', inputType)],
    },
    opsets: [{ domain: '', version: 17 }],
    irVersion: 8,
    metadata,
  });
  expect([...messagesOf(bytes, 7)]).toHaveLength(1);
  return bytes;
}
