import { readFileSync } from 'node:fs';
import { sha256 } from '../../../shared/core/ids.ts';
import { encodeModel, intAttribute, type Node } from '../../../shared/adapters/onnx/files/onnx-proto.ts';
import {
  intField,
  messageField,
  textField,
  type Bytes,
} from '../../../shared/adapters/onnx/files/protobuf-writer.ts';
import type { ModelSource } from '../../../shared/domains/serving/scorer.ts';

type Message = readonly Bytes[];

/** ONNX's element types by number, including those that the runtime cannot carry. */
export const elementNumbers = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  int4: 22,
} as const;
type ElementName = keyof typeof elementNumbers;

/** An input or output. A text is a free dimension; without a shape, the rank is free. */
export function value(name: string, type: ElementName, shape?: readonly (number | string)[]): Message {
  const dimensions = shape?.map((size) =>
    messageField(1, [typeof size === 'number' ? intField(1, size) : textField(2, size)]),
  );
  const tensor = [intField(1, elementNumbers[type]), ...(dimensions ? [messageField(2, dimensions)] : [])];
  return [textField(1, name), messageField(2, [messageField(1, tensor)])];
}

/** An output whose type the file leaves to the runtime. */
export function untypedValue(name: string): Message {
  return [textField(1, name)];
}

/** A sequence of float32 tensors. */
export function sequenceValue(name: string): Message {
  const tensor = messageField(1, [intField(1, elementNumbers.float32)]);
  return [textField(1, name), messageField(2, [messageField(4, [messageField(1, [tensor])])])];
}

export function createModel(change: {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Message[];
  readonly outputs: readonly Message[];
  readonly metadata?: Readonly<Record<string, string>>;
}): Bytes {
  return encodeModel({
    graph: { name: 'g', initializers: [], ...change },
    opsets: [{ domain: '', version: 21 }],
    irVersion: 10,
    metadata: change.metadata ?? {},
  });
}

export const identity = (input: string, output: string): Node => ({
  op: 'Identity',
  inputs: [input],
  output,
});

export const cast = (input: string, output: string, type: ElementName): Node => ({
  op: 'Cast',
  inputs: [input],
  output,
  attributes: [intAttribute('to', elementNumbers[type])],
});

export function sourceOf(bytes: Uint8Array): ModelSource {
  return { sha256: sha256(bytes), load: async () => bytes };
}

/** A model of scikit-learn, as a user logs it; see test/golden/sklearn/generate.py. */
export function readSklearnModel(name: string): Uint8Array {
  return readFileSync(new URL(`../../golden/sklearn/${name}.onnx`, import.meta.url));
}

interface SklearnCase {
  readonly X: readonly (readonly number[])[];
  readonly outputs: Readonly<Record<string, readonly unknown[]>>;
}

export const sklearnCases = JSON.parse(
  readFileSync(new URL('../../golden/sklearn/cases.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, SklearnCase>>;
