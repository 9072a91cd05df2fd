/** The likely encoding of bytes that are not UTF-8. */
export type Guess = 'windows-1252' | 'damaged';

/** @returns the position of the first invalid byte; -1 if all are valid */
export function findBadUtf8(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const length = readSequence(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return -1;
}

/** @see https://www.rfc-editor.org/rfc/rfc3629#section-4 */
function readSequence(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  if (first >= 0xc2 && first <= 0xdf) return isFollower(second) ? 2 : 0;
  const third = bytes[at + 2] ?? 0;
  if (first >= 0xe0 && first <= 0xef) {
    const [min, max] = first === 0xe0 ? [0xa0, 0xbf] : first === 0xed ? [0x80, 0x9f] : [0x80, 0xbf];
    return second >= min && second <= max && isFollower(third) ? 3 : 0;
  }
  if (first < 0xf0 || first > 0xf4) return 0;
  const [min, max] = first === 0xf0 ? [0x90, 0xbf] : first === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf];
  return second >= min && second <= max && isFollower(third) && isFollower(bytes[at + 3] ?? 0) ? 4 : 0;
}

function isFollower(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/**
 * Distinguishes Western European single-byte encodings from damaged UTF-8: in the former most bytes above ASCII are
 * isolated, in the latter they are in sequences.
 */
export function guessEncoding(bytes: Uint8Array): Guess {
  let alone = 0;
  let others = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte < 0x80) continue;
    const isAlone = (bytes[at - 1] ?? 0) < 0x80 && (bytes[at + 1] ?? 0) < 0x80;
    if (isAlone) alone += 1;
    else others += 1;
  }
  return alone > others ? 'windows-1252' : 'damaged';
}

/** Describes invalid UTF-8: where it is, and what the bytes may be. */
export function describeEncoding(bytes: Uint8Array): string {
  const at = findBadUtf8(bytes);
  const hex = [...bytes.subarray(at, at + 3)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const place = `byte ${at + 1} (${hex}) does not start a character`;
  if (guessEncoding(bytes) === 'damaged') return `${place}; the text seems to be truncated or damaged`;
  const from = Math.max(0, at - 10);
  const sample = new TextDecoder('windows-1252').decode(bytes.subarray(from, at + 10));
  return `${place}; it reads as Windows-1252 (Latin-1): “${sample}”`;
}
