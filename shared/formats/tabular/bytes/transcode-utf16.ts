export type Utf16 = 'utf-16le' | 'utf-16be';

/** Input per step of a few milliseconds. */
const portionBytes = 256 * 1024;

/**
 * Transcodes UTF-16 to UTF-8. An unpaired surrogate, which UTF-8 cannot represent, becomes the three bytes of its code, so
 * that its record is reported as badly encoded. Half a unit at the end becomes the byte 0xff.
 *
 * @param source without the byte order mark
 * @see https://www.rfc-editor.org/rfc/rfc2781
 */
export async function* transcodeUtf16(
  source: AsyncIterable<Uint8Array>,
  encoding: Utf16,
): AsyncGenerator<Uint8Array> {
  const transcoder = new Transcoder(encoding);
  for await (const bytes of source) {
    for (let from = 0; from < bytes.length; from += portionBytes)
      yield transcoder.write(bytes.subarray(from, from + portionBytes));
  }
  yield transcoder.end();
}

class Transcoder {
  readonly #lowFirst: boolean;
  /** A pending first byte of a unit, and a pending first unit of a pair. */
  #half = -1;
  #high = 0;
  #out = new Uint8Array(0);
  #length = 0;

  constructor(encoding: Utf16) {
    this.#lowFirst = encoding === 'utf-16le';
  }

  write(bytes: Uint8Array): Uint8Array {
    // A unit becomes up to three bytes, and so does a pending one.
    this.#out = new Uint8Array(((bytes.length + 1) >> 1) * 3 + 3);
    this.#length = 0;
    for (const byte of bytes) {
      if (this.#half < 0) this.#half = byte;
      else {
        this.#addUnit(this.#lowFirst ? this.#half | (byte << 8) : (this.#half << 8) | byte);
        this.#half = -1;
      }
    }
    return this.#out.subarray(0, this.#length);
  }

  end(): Uint8Array {
    this.#out = new Uint8Array(4);
    this.#length = 0;
    if (this.#high !== 0) this.#put3(this.#high);
    if (this.#half >= 0) this.#put(0xff);
    return this.#out.subarray(0, this.#length);
  }

  #addUnit(unit: number): void {
    const high = this.#high;
    this.#high = 0;
    if (high !== 0) {
      if (unit >= 0xdc00 && unit < 0xe000)
        return this.#put4(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
      this.#put3(high);
    }
    if (unit < 0x80) this.#put(unit);
    else if (unit < 0x800) {
      this.#put(0xc0 | (unit >>> 6));
      this.#put(0x80 | (unit & 0x3f));
    } else if (unit >= 0xd800 && unit < 0xdc00) this.#high = unit;
    else this.#put3(unit);
  }

  #put4(point: number): void {
    this.#put(0xf0 | (point >>> 18));
    this.#put(0x80 | ((point >>> 12) & 0x3f));
    this.#put(0x80 | ((point >>> 6) & 0x3f));
    this.#put(0x80 | (point & 0x3f));
  }

  #put3(unit: number): void {
    this.#put(0xe0 | (unit >>> 12));
    this.#put(0x80 | ((unit >>> 6) & 0x3f));
    this.#put(0x80 | (unit & 0x3f));
  }

  #put(byte: number): void {
    this.#out[this.#length] = byte;
    this.#length += 1;
  }
}

/** The number of UTF-16 bytes that these UTF-8 bytes were transcoded from. */
export function countUtf16Bytes(bytes: Uint8Array, from: number, to: number): number {
  let total = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]!;
    // Counts each character by its first byte. Four bytes were two units; 0xff was half a unit.
    if ((byte & 0xc0) !== 0x80) total += byte === 0xff ? 1 : byte >= 0xf0 ? 4 : 2;
  }
  return total;
}
