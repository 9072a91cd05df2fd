import { bytesField, concat, intField, messageField, textField, type Bytes } from './protobuf-writer.ts';

/**
 * ONNX's messages as functions that return their bytes, fields in ascending order.
 *
 * @see https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx-ml.proto
 */
export const elementTypes = { float32: 1, int64: 7, string: 8, float64: 11 } as const;
export type ElementType = keyof typeof elementTypes;

/** A message's content, which a parent wraps with its own field number. */
type Message = readonly Bytes[];

export interface Node {
  readonly op: string;
  readonly domain?: 'ai.onnx.ml';
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: readonly Message[];
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Message[];
  readonly inputs: readonly Message[];
  readonly outputs: readonly Message[];
}

export interface Model {
  readonly graph: Graph;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly irVersion: number;
  /** Written in the order of the keys' code points. */
  readonly metadata: Readonly<Record<string, string>>;
}

export function encodeModel({ graph, opsets, irVersion, metadata }: Model): Bytes {
  const keys = Object.keys(metadata).sort();
  return concat([
    intField(1, irVersion),
    textField(2, 'slipway'),
    messageField(7, encodeGraph(graph)),
    ...opsets.map(({ domain, version }) =>
      messageField(8, [...(domain === '' ? [] : [textField(1, domain)]), intField(2, version)]),
    ),
    ...keys.map((key) => messageField(14, [textField(1, key), textField(2, metadata[key]!)])),
  ]);
}

function encodeGraph(graph: Graph): Message {
  return [
    ...graph.nodes.map((node) => messageField(1, encodeNode(node))),
    textField(2, graph.name),
    ...graph.initializers.map((tensor) => messageField(5, tensor)),
    ...graph.inputs.map((input) => messageField(11, input)),
    ...graph.outputs.map((output) => messageField(12, output)),
  ];
}

function encodeNode({ op, domain, inputs, output, attributes = [] }: Node): Message {
  return [
    ...inputs.map((input) => textField(1, input)),
    textField(2, output),
    textField(4, op),
    ...attributes.map((attribute) => messageField(5, attribute)),
    ...(domain === undefined ? [] : [textField(7, domain)]),
  ];
}

/** A named tensor of shape [rows, 1], with any number of rows. */
export function rowsOf(name: string, type: ElementType): Message {
  const shape = [messageField(1, [textField(2, 'rows')]), messageField(1, [intField(1, 1)])];
  const tensor = [intField(1, elementTypes[type]), messageField(2, shape)];
  return [textField(1, name), messageField(2, [messageField(1, tensor)])];
}

export function intAttribute(name: string, value: number): Message {
  return [textField(1, name), intField(3, value), intField(20, 2)];
}

export function cast(input: string, output: string, to: ElementType): Node {
  return { op: 'Cast', inputs: [input], output, attributes: [intAttribute('to', elementTypes[to])] };
}

export function tensorAttribute(name: string, tensor: Message): Message {
  return [textField(1, name), messageField(5, tensor), intField(20, 4)];
}

export function doubleTensor(name: string, dims: readonly number[], values: readonly number[]): Message {
  return rawTensor(name, dims, 'float64', 8, values, (view, at, value) => view.setFloat64(at, value, true));
}

export function floatTensor(name: string, dims: readonly number[], values: readonly number[]): Message {
  return rawTensor(name, dims, 'float32', 4, values, (view, at, value) => view.setFloat32(at, value, true));
}

export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): Message {
  return rawTensor(name, dims, 'int64', 8, values, (view, at, value) =>
    view.setBigInt64(at, BigInt(value), true),
  );
}

export function stringTensor(name: string, dims: readonly number[], values: readonly string[]): Message {
  return [
    ...dims.map((dim) => intField(1, dim)),
    intField(2, elementTypes.string),
    ...values.map((value) => textField(6, value)),
    textField(8, name),
  ];
}

function rawTensor(
  name: string,
  dims: readonly number[],
  type: ElementType,
  width: number,
  values: readonly number[],
  set: (view: DataView, at: number, value: number) => void,
): Message {
  const raw = new Uint8Array(values.length * width);
  const view = new DataView(raw.buffer);
  for (const [index, value] of values.entries()) set(view, index * width, value);
  return [
    ...dims.map((dim) => intField(1, dim)),
    intField(2, elementTypes[type]),
    textField(8, name),
    bytesField(9, raw),
  ];
}
