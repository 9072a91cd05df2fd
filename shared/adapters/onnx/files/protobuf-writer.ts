/**
 * The part of the protobuf wire format that ONNX needs. A message is the concatenation of its fields, in the
 * order in which the caller gives them: equal values have equal bytes, which no general serialiser promises.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export type Bytes = Uint8Array<ArrayBuffer>;

const wireVarint = 0;
const wireBytes = 2;

/** An int64 or enum field. */
export function intField(field: number, value: number): Bytes {
  return concat([encodeVarint(field * 8 + wireVarint), encodeVarint(value)]);
}

/** A string, bytes or nested message field. */
export function bytesField(field: number, value: Bytes): Bytes {
  return concat([encodeVarint(field * 8 + wireBytes), encodeVarint(value.length), value]);
}

export function textField(field: number, value: string): Bytes {
  return bytesField(field, new TextEncoder().encode(value));
}

export function messageField(field: number, fields: readonly Bytes[]): Bytes {
  return bytesField(field, concat(fields));
}

export function concat(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/**
 * Seven bits a byte, the lowest first; the top bit says that more follow.
 *
 * @param value A whole number from 0 to 2^53 - 1. (ONNX graphs need no negative ones.)
 * @throws RangeError for any other number.
 */
export function encodeVarint(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned varint: ${value}`);
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
