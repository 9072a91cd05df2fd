import { AppError } from '../../core/errors.ts';
import { signatureSchema, type Signature } from '../../domains/serving/signature.ts';
import type { ModelDescription, ModelValue } from '../../domains/serving/scorer.ts';
import { readWeightFiles } from './external-data.ts';
import { messagesOf, numberOf, textOf } from './protobuf-reader.ts';

/** Where a model keeps its signature among its metadata. */
export const signatureKey = 'slipway.signature';

/** ONNX's element types by number; others are shown as `type N`. */
const elementTypeNames: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
};

/**
 * What an ONNX file says of itself, read from the file (the runtime tells neither opset nor metadata).
 *
 * @throws AppError UNPROCESSABLE when it is not an ONNX model, when it names a file of weights that is not beside it
 *   (`readWeightFiles`), or when its signature is damaged.
 * @see https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx-ml.proto
 */
export function readModel(bytes: Uint8Array): ModelDescription {
  try {
    return readModelProto(bytes);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError)
      throw new AppError('UNPROCESSABLE', `This is not an ONNX model: ${error.message}.`, {}, error);
    throw error;
  }
}

function readModelProto(bytes: Uint8Array): ModelDescription {
  const [graph] = messagesOf(bytes, 7);
  if (graph === undefined) throw new RangeError('it has no graph');
  const metadata = Object.fromEntries(
    Array.from(messagesOf(bytes, 14), (entry) => [textOf(entry, 1), textOf(entry, 2)]),
  );
  const initializers = new Set(Array.from(messagesOf(graph, 5), (tensor) => textOf(tensor, 8)));
  // Old files list weights among the inputs, too.
  const inputs = Array.from(messagesOf(graph, 11), readValue).filter(({ name }) => !initializers.has(name));
  return {
    irVersion: numberOf(bytes, 1),
    producer: textOf(bytes, 2),
    opsets: Array.from(messagesOf(bytes, 8), (opset) => ({
      domain: textOf(opset, 1) || 'ai.onnx',
      version: numberOf(opset, 2),
    })),
    inputs,
    outputs: Array.from(messagesOf(graph, 12), readValue),
    metadata,
    weightFiles: readWeightFiles(bytes),
    signature: readSignature(metadata[signatureKey], inputs),
  };
}

function readValue(bytes: Uint8Array): ModelValue {
  const [type = new Uint8Array()] = messagesOf(bytes, 2);
  const [tensor] = messagesOf(type, 1);
  const name = textOf(bytes, 1);
  if (tensor === undefined) return { name, type: 'not a tensor', shape: [] };
  const elementType = numberOf(tensor, 1);
  const [shape = new Uint8Array()] = messagesOf(tensor, 2);
  return {
    name,
    type: elementTypeNames[elementType] ?? `type ${elementType}`,
    shape: Array.from(messagesOf(shape, 1), (dim) => textOf(dim, 2) || numberOf(dim, 1)),
  };
}

/** A model from elsewhere has no signature: each of its inputs is then a column of its own. */
function readSignature(text: string | undefined, inputs: readonly ModelValue[]): Signature | null {
  const parsed = signatureSchema.safeParse(
    text === undefined
      ? {
          columns: inputs.map(({ name, type }) => ({ name, type: columnTypes[type] })),
          inputs: inputs.map(({ name, type }) => ({ name, tensor: type, column: name })),
        }
      : JSON.parse(text),
  );
  if (text === undefined) return parsed.success ? parsed.data : null;
  if (!parsed.success) throw new RangeError(`its signature is damaged (${parsed.error.issues[0]?.message})`);
  for (const { name, tensor } of parsed.data.inputs)
    if (!inputs.some((input) => input.name === name && input.type === tensor))
      throw new RangeError(`its signature names an input "${name}" (${tensor}) that it does not have`);
  return parsed.data;
}

const columnTypes: Readonly<Record<string, string>> = {
  float32: 'number',
  int64: 'integer',
  string: 'string',
};
