import { Tensor as RuntimeTensor, type OnnxValue } from 'onnxruntime-node';
import { AppError } from '../../../core/errors.ts';
import { isTensorType, type Tensor } from '../../../domains/serving/tensor.ts';

/** A tensor as the runtime takes it; the elements are not copied. */
export function toRuntimeTensor(tensor: Tensor): RuntimeTensor {
  const { type, shape, data } = tensor;
  return type === 'float16'
    ? toRuntimeFloat16(data, shape)
    : new RuntimeTensor(type as 'float32', data as Float32Array, shape);
}

/**
 * The runtime reads the bits of a float16 input. From Node 23 on, its own constructor replaces them by a Float16Array,
 * which its native part cannot read.
 *
 * @see https://github.com/microsoft/onnxruntime/issues/26791
 */
function toRuntimeFloat16(bits: Uint16Array, shape: readonly number[]): RuntimeTensor {
  const tensor = new RuntimeTensor('float16', bits, shape);
  if (!(tensor.data instanceof Uint16Array)) Object.defineProperty(tensor, 'cpuData', { value: bits });
  return tensor;
}

/**
 * An output of the runtime.
 *
 * @throws AppError UNPROCESSABLE when there is no such output, or it is not a tensor.
 */
export function fromRuntimeTensor(name: string, value: OnnxValue | undefined): Tensor {
  if (value === undefined || !('data' in value) || !isTensorType(value.type))
    throw new AppError('UNPROCESSABLE', `The model gives no tensor for its output "${name}".`, {
      output: name,
    });
  const { type, data, dims: shape } = value;
  if (type === 'float16' && !(data instanceof Uint16Array)) {
    const { buffer, byteOffset, length } = data as unknown as Uint16Array<ArrayBuffer>;
    return { type, shape, data: new Uint16Array(buffer, byteOffset, length) };
  }
  return { type, shape, data } as Tensor;
}
