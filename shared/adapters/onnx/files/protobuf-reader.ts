/**
 * One field of a message: a varint as a number, or the bytes of a string, nested message or fixed-width value. A
 * varint is read as int64; beyond ±2^53 it loses digits.
 */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/**
 * Walks the fields of one protobuf message without copying. Nested messages come as bytes, to be walked in turn.
 *
 * @throws RangeError when the bytes are not a message: a field that runs over the end, an unknown wire type.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function* readFields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const readVarint = (): number => {
    const [value, next] = decodeVarint(bytes, at);
    at = next;
    return value;
  };
  const take = (length: number): Uint8Array => {
    if (length < 0 || length > bytes.length - at) throw new RangeError('a field runs over the end');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = readVarint();
    const number = Math.floor(key / 8);
    if (number < 1) throw new RangeError(`a field has the number ${number}`);
    switch (key % 8) {
      case 0:
        yield { number, value: readVarint() };
        break;
      case 1:
        yield { number, value: take(8) };
        break;
      case 2:
        yield { number, value: take(readVarint()) };
        break;
      case 5:
        yield { number, value: take(4) };
        break;
      default:
        throw new RangeError(`wire type ${key % 8} is not known`);
    }
  }
}

/**
 * Reads one varint as int64.
 *
 * @returns The number and the index after it.
 */
function decodeVarint(bytes: Uint8Array, start: number): readonly [value: number, next: number] {
  // Two halves of 32 bits, each exact: together they tell small negative numbers from large positive ones.
  let low = 0;
  let high = 0;
  let scale = 1;
  for (let count = 0; count < 10; count++) {
    const byte = bytes[start + count];
    if (byte === undefined) throw new RangeError('a number runs over the end');
    const bits = byte & 127;
    if (count < 4) low += bits * scale;
    else if (count > 4) high += bits * scale;
    else {
      // The fifth byte has 4 bits for the lower half and 3 for the higher.
      low += (bits & 15) * scale;
      high += bits >>> 4;
    }
    if (byte < 128) return [toInt64(high, low), start + count + 1];
    scale = count === 4 ? 8 : scale * 128;
  }
  throw new RangeError('a number is longer than 10 bytes');
}

/** Two's complement of 64 bits; what a tenth byte holds beyond them is dropped. */
function toInt64(high: number, low: number): number {
  const bits = high % 2 ** 32;
  return (bits < 2 ** 31 ? bits : bits - 2 ** 32) * 2 ** 32 + low;
}

/**
 * A repeated int64 field, packed or not.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#packed
 */
export function* integersOf(bytes: Uint8Array, number: number): Generator<number> {
  for (const field of readFields(bytes)) {
    if (field.number !== number) continue;
    if (typeof field.value === 'number') {
      yield field.value;
      continue;
    }
    for (let at = 0; at < field.value.length;) {
      const [value, next] = decodeVarint(field.value, at);
      yield value;
      at = next;
    }
  }
}

/** The nested messages (or strings) of one field number. */
export function* messagesOf(bytes: Uint8Array, number: number): Generator<Uint8Array> {
  for (const field of readFields(bytes)) {
    if (field.number !== number) continue;
    if (typeof field.value === 'number') throw new RangeError(`field ${number} is not a message`);
    yield field.value;
  }
}

/** The last value wins, as protobuf says; an absent number is 0. */
export function numberOf(bytes: Uint8Array, number: number): number {
  let last = 0;
  for (const field of readFields(bytes))
    if (field.number === number && typeof field.value === 'number') last = field.value;
  return last;
}

/** @throws TypeError when it is not UTF-8. */
export function textOf(bytes: Uint8Array, number: number): string {
  let last: Uint8Array | undefined;
  for (const message of messagesOf(bytes, number)) last = message;
  return last === undefined ? '' : new TextDecoder('utf-8', { fatal: true }).decode(last);
}
