import { countElements, type Tensor, type Tensors } from '../tensor.ts';
import { elementCodecs, type JsonElement } from './elements.ts';

export type NestedList = JsonElement | readonly NestedList[];

export interface JsonTensor {
  readonly type: Tensor['type'];
  readonly shape: readonly number[];
  /** Lists nested as the shape says; a scalar is a bare value. */
  readonly data: NestedList;
}

/** Tensors as JSON, by name. */
export function writeTensors(tensors: Tensors): Readonly<Record<string, JsonTensor>> {
  return Object.fromEntries(
    Array.from(tensors, ([name, tensor]) => [
      name,
      { type: tensor.type, shape: tensor.shape, data: nest(tensor) },
    ]),
  );
}

function nest(tensor: Tensor): NestedList {
  const { type, shape, data } = tensor;
  const codec = elementCodecs[type];
  const get = (index: number) => codec.get(data as never, index);
  const list = (depth: number, first: number): NestedList => {
    const size = shape[depth];
    if (size === undefined) return get(first);
    const step = countElements(shape.slice(depth + 1));
    return Array.from({ length: size }, (_, index) => list(depth + 1, first + index * step));
  };
  return list(0, 0);
}
