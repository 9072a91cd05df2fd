import { AppError } from '../../../core/errors.ts';
import { decodeFloat16 } from '../float16.ts';
import { showValues, type ModelValue } from '../model-value.ts';
import { countElements, type Tensor, type Tensors } from '../tensor.ts';
import type { ModelFacts } from './task.ts';

const floatTypes = new Set(['float32', 'float64', 'float16']);

export function isFloat({ type }: ModelValue): boolean {
  return floatTypes.has(type);
}

/** Whether an output can have `width` values for each row, as far as its declared shape says. */
export function hasWidth({ shape }: ModelValue, width: number): boolean {
  if (shape === null) return true;
  const [, columns = 1, ...rest] = shape;
  const fits = typeof columns === 'string' || columns === width;
  return shape.length > 0 && rest.length === 0 && fits;
}

/** @throws RangeError when the model has no such output. */
export function findOutput({ outputs }: ModelFacts, name: string): ModelValue {
  const output = outputs.find((value) => value.name === name);
  if (output === undefined) throw new RangeError(`it has no output "${name}", only ${showValues(outputs)}`);
  return output;
}

/**
 * The numbers of a float output with `width` values a row.
 *
 * @throws AppError UNPROCESSABLE for any other output.
 */
export function readFloats(
  outputs: Tensors,
  name: string,
  rows: number,
  width: number,
): Float32Array | Float64Array {
  const tensor = outputs.get(name);
  const numbers = tensor && toFloats(tensor);
  if (numbers === undefined || numbers.length !== rows * width || tensor?.shape[0] !== rows)
    throw new AppError(
      'UNPROCESSABLE',
      `The model's output "${name}" is not ${width === 1 ? 'one float' : `${width} floats`} for each row.`,
      { output: name, rows, shape: tensor?.shape },
    );
  return numbers;
}

function toFloats(tensor: Tensor): Float32Array | Float64Array | undefined {
  if (tensor.type === 'float32' || tensor.type === 'float64') return tensor.data;
  return tensor.type === 'float16' ? Float32Array.from(tensor.data, decodeFloat16) : undefined;
}

/**
 * The classes of an int64 or string output with one value a row.
 *
 * @throws AppError UNPROCESSABLE for any other output.
 */
export function readLabels(outputs: Tensors, name: string, rows: number): readonly (string | number)[] {
  const tensor = outputs.get(name);
  if (tensor !== undefined && countElements(tensor.shape) === rows) {
    if (tensor.type === 'string') return tensor.data;
    if (tensor.type === 'int64') return Array.from(tensor.data, toLabel);
  }
  throw new AppError(
    'UNPROCESSABLE',
    `The model's output "${name}" is not one int64 or string for each row.`,
    { output: name, rows, shape: tensor?.shape },
  );
}

function toLabel(value: bigint): string | number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
