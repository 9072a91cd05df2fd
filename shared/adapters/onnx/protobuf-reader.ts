/** One field of a message: a varint as a number, or the bytes of a string, nested message or fixed-width value. */
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
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('a number runs over the end');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new RangeError('a number is longer than 10 bytes');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new RangeError('a field runs over the end');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = readVarint();
    const number = Math.floor(key / 8);
    if (number === 0) throw new RangeError('a field has the number 0');
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
