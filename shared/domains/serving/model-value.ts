/** An input or output of a model. */
export interface ModelValue {
  readonly name: string;
  /** A `TensorType`, another element type by its ONNX name, or `not a tensor`. */
  readonly type: string;
  /** A free dimension has a name, or `?` in a model that does not name it. Null when even the rank is free. */
  readonly shape: readonly (number | string)[] | null;
}

/**
 * Names, types and shapes for an error.
 *
 * @example
 * showValues([{ name: 'X', type: 'float32', shape: ['rows', 4] }]) // 'X (float32 [rows, 4])'
 */
export function showValues(values: readonly ModelValue[]): string {
  return values.map(showValue).join(', ');
}

function showValue({ name, type, shape }: ModelValue): string {
  return `${name} (${type}${shape === null ? ' of any shape' : ` [${shape.join(', ')}]`})`;
}
