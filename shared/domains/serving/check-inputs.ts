import { AppError } from '../../core/errors.ts';
import { showValues, type ModelValue } from './model-value.ts';
import { countElements, type Tensors } from './tensor.ts';

/**
 * Checks tensors against the inputs of a model: names, types, shapes and sizes. The runtime checks some of this in
 * words of its own, and ignores names that it does not know.
 *
 * @throws AppError INVALID_ARGUMENT that names the input.
 */
export function checkInputs(inputs: readonly ModelValue[], tensors: Tensors): void {
  for (const name of tensors.keys())
    if (!inputs.some((input) => input.name === name)) throw unknownInput(inputs, name);
  for (const input of inputs) {
    const tensor = tensors.get(input.name);
    if (tensor === undefined)
      throw new AppError('INVALID_ARGUMENT', `Input ${showValues([input])} is missing.`);
    const problem =
      tensor.type === input.type
        ? checkShape(input, tensor.shape)
        : `must be ${input.type}, not ${tensor.type}`;
    if (problem !== undefined)
      throw new AppError('INVALID_ARGUMENT', `Input "${input.name}" ${problem}.`, { input: input.name });
    if (tensor.data.length !== countElements(tensor.shape))
      throw new AppError(
        'INVALID_ARGUMENT',
        `Input "${input.name}" has ${tensor.data.length} elements, and its shape [${tensor.shape.join(', ')}] ${countElements(tensor.shape)}.`,
        { input: input.name },
      );
  }
}

export function unknownInput(inputs: readonly ModelValue[], name: string): AppError {
  return new AppError(
    'INVALID_ARGUMENT',
    `"${name.slice(0, 80)}" is not an input of this model; it has ${showValues(inputs)}.`,
  );
}

/**
 * Compares a shape with the declared one, in which free dimensions take any size.
 *
 * @returns What is wrong, if anything.
 * @example
 * checkShape({ shape: ['rows', 4] }, [7, 4]) // undefined
 * checkShape({ shape: ['rows', 4] }, [7, 3]) // 'must have the shape [rows, 4], not [7, 3]'
 */
export function checkShape(
  { shape }: Pick<ModelValue, 'shape'>,
  given: readonly number[],
): string | undefined {
  if (shape === null) return undefined;
  const fits =
    shape.length === given.length &&
    shape.every((size, index) => typeof size === 'string' || size === given[index]);
  return fits ? undefined : `must have the shape [${shape.join(', ')}], not [${given.join(', ')}]`;
}
