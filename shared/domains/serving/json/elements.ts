import { toJsonNumber } from '../../../core/json/json-number.ts';
import { checkText } from '../check-text.ts';
import { decodeFloat16, encodeFloat16 } from '../float16.ts';
import { showJson } from '../show-json.ts';

import type { TensorArrays, TensorType } from '../tensor.ts';

/** One element of a tensor in JSON. */
export type JsonElement = number | string | boolean;

/** How the elements of one type travel in JSON. */
interface ElementCodec<Data> {
  /** Sets the element at `index` from a JSON value. @returns What is wrong with the value. */
  set(data: Data, index: number, value: unknown): string | undefined;
  get(data: Data, index: number): JsonElement;
}

/**
 * By type. JSON's numbers do not hold everything, so that
 * - an integer beyond ±(2^53 - 1) travels as a text of its digits;
 * - NaN, Infinity and -Infinity travel as texts, and null is read as NaN;
 * - the sign of -0 is read, but not written.
 */
export const elementCodecs: { readonly [Type in TensorType]: ElementCodec<TensorArrays[Type]> } = {
  float32: float('float32', Math.fround),
  float64: float('float64', (value) => value),
  float16: {
    set: (bits, index, value) => {
      const number = readFloat('float16', (wide) => decodeFloat16(encodeFloat16(wide)), value);
      if (typeof number === 'string') return number;
      bits[index] = encodeFloat16(number);
      return undefined;
    },
    get: (bits, index) => toJsonNumber(decodeFloat16(bits[index]!)),
  },
  int8: integer(-(2 ** 7), 2 ** 7 - 1),
  int16: integer(-(2 ** 15), 2 ** 15 - 1),
  int32: integer(-(2 ** 31), 2 ** 31 - 1),
  uint8: integer(0, 2 ** 8 - 1),
  uint16: integer(0, 2 ** 16 - 1),
  uint32: integer(0, 2 ** 32 - 1),
  int64: bigInteger(-(2n ** 63n), 2n ** 63n - 1n),
  uint64: bigInteger(0n, 2n ** 64n - 1n),
  bool: {
    set: (data, index, value) => {
      if (typeof value !== 'boolean') return `must be true or false, not ${showJson(value)}`;
      data[index] = value ? 1 : 0;
      return undefined;
    },
    get: (data, index) => data[index] !== 0,
  },
  string: {
    set: (data, index, value) => {
      if (typeof value !== 'string') return `must be a text, not ${showJson(value)}`;
      data[index] = value;
      return checkText(value);
    },
    get: (data, index) => data[index]!,
  },
};

function float(type: string, round: (value: number) => number): ElementCodec<Float32Array | Float64Array> {
  return {
    set: (data, index, value) => {
      const number = readFloat(type, round, value);
      if (typeof number === 'string') return number;
      data[index] = number;
      return undefined;
    },
    get: (data, index) => toJsonNumber(data[index]!),
  };
}

const named = new Map<unknown, number>([
  [null, NaN],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/** @returns A number, or what is wrong. */
function readFloat(type: string, round: (value: number) => number, value: unknown): number | string {
  if (typeof value !== 'number')
    return (
      named.get(value) ?? `must be a number, null, "NaN", "Infinity" or "-Infinity", not ${showJson(value)}`
    );
  return Number.isFinite(round(value)) ? value : `must be within ${type}, which ${value} is not`;
}

function integer(
  min: number,
  max: number,
): ElementCodec<Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array> {
  return {
    set: (data, index, value) => {
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
        return `must be a whole number from ${min} to ${max}, not ${showJson(value)}`;
      data[index] = value as number;
      return undefined;
    },
    get: (data, index) => data[index]!,
  };
}

function bigInteger(min: bigint, max: bigint): ElementCodec<BigInt64Array | BigUint64Array> {
  return {
    set: (data, index, value) => {
      const whole = readBigInteger(value);
      if (whole === undefined || whole < min || whole > max)
        return `must be a whole number from ${min} to ${max}, as a text of digits beyond ±(2^53 - 1), not ${showJson(value)}`;
      data[index] = whole;
      return undefined;
    },
    get: (data, index) => {
      const number = Number(data[index]);
      return Number.isSafeInteger(number) ? number : String(data[index]);
    },
  };
}

function readBigInteger(value: unknown): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}
