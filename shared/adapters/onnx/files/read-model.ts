import { AppError } from '../../../core/errors.ts';
import { signatureSchema, type Signature } from '../../../domains/serving/signature.ts';
import type { ModelValue } from '../../../domains/serving/model-value.ts';
import type { ModelDescription } from '../../../domains/serving/scorer.ts';
import { bindTask, type ModelTask } from '../../../domains/serving/tasks/catalog.ts';
import type { ModelFacts } from '../../../domains/serving/tasks/task.ts';
import { readWeightFiles } from './external-data.ts';
import { messagesOf, numberOf, readFields, textOf } from './protobuf-reader.ts';
import { readClasses } from './read-classes.ts';

/** The metadata of a model that say how rows become its inputs, and what its outputs mean. */
export const signatureKey = 'slipway.signature';
export const taskKey = 'slipway.task';

/** ONNX's element types by number. */
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
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/**
 * Reads what an ONNX file says of itself (the runtime reports neither opsets nor metadata).
 *
 * @throws AppError UNPROCESSABLE when it is not an ONNX model, when it names a file of weights that is not beside it
 *   (`readWeightFiles`), or when its signature or its task is damaged.
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
  const outputs = Array.from(messagesOf(graph, 12), readValue);
  return {
    irVersion: numberOf(bytes, 1),
    producer: textOf(bytes, 2),
    opsets: Array.from(messagesOf(bytes, 8), (opset) => ({
      domain: textOf(opset, 1) || 'ai.onnx',
      version: numberOf(opset, 2),
    })),
    inputs,
    outputs,
    metadata,
    weightFiles: readWeightFiles(bytes),
    signature: readSignature(metadata[signatureKey], inputs),
    task: readTask(metadata[taskKey], { outputs, classes: readClasses(graph) }),
  };
}

function readValue(bytes: Uint8Array): ModelValue {
  const [type = new Uint8Array()] = messagesOf(bytes, 2);
  const [tensor] = messagesOf(type, 1);
  const name = textOf(bytes, 1);
  if (tensor === undefined) return { name, type: 'not a tensor', shape: null };
  const elementType = numberOf(tensor, 1);
  const [shape] = messagesOf(tensor, 2);
  return {
    name,
    type: elementTypeNames[elementType] ?? `type ${elementType}`,
    shape: shape === undefined ? null : Array.from(messagesOf(shape, 1), readDimension),
  };
}

/** Its size, or its name, or `?` for one that has neither; writers also use -1 for a free one. */
function readDimension(bytes: Uint8Array): number | string {
  let dimension: number | string = '?';
  for (const { number, value } of readFields(bytes))
    if (number === 1 && typeof value === 'number') dimension = value < 0 ? '?' : value;
    else if (number === 2) dimension = textOf(bytes, 2) || '?';
  return dimension;
}

/** @throws AppError UNPROCESSABLE */
function readTask(declaration: string | undefined, facts: ModelFacts): ModelTask {
  try {
    return bindTask(facts, declaration);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    throw new AppError(
      'UNPROCESSABLE',
      `Its metadata "${taskKey}" cannot be used: ${error.message}.`,
      { [taskKey]: declaration },
      error,
    );
  }
}

/** Without a signature, each input is a column: if all are [rows, 1] tensors of a type that rows can fill. */
function readSignature(text: string | undefined, inputs: readonly ModelValue[]): Signature | null {
  if (text === undefined && !inputs.every(isColumn)) return null;
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

/** An input whose shape the file leaves out can be a column, too. */
function isColumn({ shape }: ModelValue): boolean {
  return shape === null || (shape.length === 2 && shape[1] === 1);
}

const columnTypes: Readonly<Record<string, string>> = {
  float32: 'number',
  int64: 'integer',
  string: 'string',
};
