import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeModel, floatTensor, rowsOf, type Node } from '../../../shared/adapters/onnx/onnx-proto.ts';
import { messagesOf, readFields } from '../../../shared/adapters/onnx/protobuf-reader.ts';
import {
  concat,
  encodeVarint,
  intField,
  messageField,
  textField,
} from '../../../shared/adapters/onnx/protobuf-writer.ts';
import { readModel } from '../../../shared/adapters/onnx/read-model.ts';
import { writeModel } from '../../../shared/adapters/onnx/write-model.ts';
import { fitGolden, goldenMetadata, goldenSignature } from '../../support/training/golden-logistic.ts';

const goldenBytes = readFileSync(new URL('../../golden/onnx/logistic.onnx', import.meta.url));

describe('protobuf', () => {
  test('varints are those of the specification', () => {
    expect([...encodeVarint(1)]).toEqual([0x01]);
    expect([...encodeVarint(150)]).toEqual([0x96, 0x01]);
    expect([...encodeVarint(2 ** 32)]).toEqual([0x80, 0x80, 0x80, 0x80, 0x10]);
    for (const bad of [-1, 0.5, 2 ** 53, NaN]) expect(() => encodeVarint(bad)).toThrow(RangeError);
  });

  test('what is written is read', () => {
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

  test('fixed-width fields are stepped over', () => {
    const fixed = Uint8Array.of(1 * 8 + 5, 1, 2, 3, 4, 2 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8, 3 * 8, 9);
    expect([...readFields(fixed)].at(-1)).toEqual({ number: 3, value: 9 });
  });

  test('damage is an error, never a wrong length', () => {
    for (const bytes of [[0x0a, 5, 1], [0x08], [0x0b, 0], [0x00, 0], [0x08, ...Array(11).fill(0xff)]])
      expect(() => [...readFields(Uint8Array.from(bytes))]).toThrow(RangeError);
  });
});

describe('writing', () => {
  test('training and writing give the golden bytes, on every machine', async () => {
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

describe('reading', () => {
  test('a model tells opsets, inputs, outputs, metadata and signature', () => {
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
    });
  });

  test('a model from elsewhere asks for its inputs as they are', () => {
    expect(readModel(tinyModel({})).signature).toEqual({
      columns: [{ name: 'x', type: 'number' }],
      inputs: [{ name: 'x', tensor: 'float32', column: 'x' }],
    });
    expect(readModel(tinyModel({ inputType: 'float64' })).signature).toBeNull();
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /it has no graph/],
    ['a text', Buffer.from('this is not a model'), /not an ONNX model/],
    ['a cut model', goldenBytes.subarray(0, goldenBytes.length - 40), /runs over the end/],
    [
      'a signature that is no JSON',
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
  ])('weights of %s in another file are told', (_, change) => {
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

  test('no damage escapes as another error', () => {
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

/** A tensor whose data is said to be in another file. */
function externalTensor(location: string): Message {
  return [
    ...floatTensor('w', [1], []),
    messageField(13, [textField(1, 'location'), textField(2, location)]),
    intField(14, 1),
  ];
}

/** y = Identity(x), by someone else. */
function tinyModel(change: {
  readonly inputType?: 'float64';
  readonly metadata?: Record<string, string>;
  readonly initializer?: Message;
  readonly attribute?: Message;
}): Uint8Array {
  const { inputType = 'float32', metadata = {}, initializer, attribute } = change;
  const node: Node = {
    op: 'Identity',
    inputs: ['x'],
    output: 'y',
    ...(attribute !== undefined && { attributes: [attribute] }),
  };
  const bytes = encodeModel({
    graph: {
      name: 'tiny',
      nodes: [node],
      initializers: initializer === undefined ? [] : [initializer],
      inputs: [rowsOf('x', inputType)],
      outputs: [rowsOf('y', inputType)],
    },
    opsets: [{ domain: '', version: 17 }],
    irVersion: 8,
    metadata,
  });
  expect([...messagesOf(bytes, 7)]).toHaveLength(1);
  return bytes;
}
