/** The arrays that hold a tensor's elements, row by row. */
export interface TensorArrays {
  readonly float32: Float32Array<ArrayBuffer>;
  readonly float64: Float64Array<ArrayBuffer>;
  /** The 16 bits of each element (see `float16.ts`): Node has no Float16Array before version 24. */
  readonly float16: Uint16Array<ArrayBuffer>;
  readonly int8: Int8Array<ArrayBuffer>;
  readonly int16: Int16Array<ArrayBuffer>;
  readonly int32: Int32Array<ArrayBuffer>;
  readonly int64: BigInt64Array<ArrayBuffer>;
  readonly uint8: Uint8Array<ArrayBuffer>;
  readonly uint16: Uint16Array<ArrayBuffer>;
  readonly uint32: Uint32Array<ArrayBuffer>;
  readonly uint64: BigUint64Array<ArrayBuffer>;
  /** 0 or 1 each. */
  readonly bool: Uint8Array<ArrayBuffer>;
  /** Texts that pass `checkText`. */
  readonly string: string[];
}

/** The element types that requests and answers can carry. */
export type TensorType = keyof TensorArrays;

/** The product of its shape is the number of its elements; a scalar has the shape [] and one element. */
export type Tensor = {
  readonly [Type in TensorType]: {
    readonly type: Type;
    readonly shape: readonly number[];
    readonly data: TensorArrays[Type];
  };
}[TensorType];

/** By name. Names are the model's own, so `__proto__` may be one. */
export type Tensors = ReadonlyMap<string, Tensor>;

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<Exclude<TensorType, 'string'>, unknown>;

export function isTensorType(type: string): type is TensorType {
  return type === 'string' || Object.hasOwn(constructors, type);
}

/** A tensor of zeros, or of empty texts. */
export function createTensor(type: TensorType, shape: readonly number[]): Tensor {
  const length = countElements(shape);
  const data = type === 'string' ? Array.from({ length }, () => '') : new constructors[type](length);
  return { type, shape, data } as Tensor;
}

/**
 * The number of elements of a tensor.
 *
 * @example
 * countElements([2, 3]) // 6
 * countElements([]) // 1
 */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
