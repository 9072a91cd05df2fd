/** The kind of a file by its first bytes. */
export type Signature =
  | { readonly kind: 'gzip' | 'zstd' | 'parquet' }
  /** `name` completes the sentence "this is …". */
  | { readonly kind: 'other'; readonly name: string; readonly remedy: string };

const anyText = 'Export it as CSV, JSON lines or Parquet.';

const others: readonly (readonly [bytes: string, name: string, remedy: string])[] = [
  ['PARE', 'a Parquet file with an encrypted footer', 'Write it without encryption.'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'an old Excel workbook (.xls)', 'Save the sheet as CSV.'],
  ['BZh', 'a bzip2 file', 'Compress it with gzip or zstd.'],
  ['\xfd7zXZ\0', 'an xz file', 'Compress it with gzip or zstd.'],
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive', 'Unpack it, and drop its files separately.'],
  ['Rar!\x1a\x07', 'a RAR archive', 'Unpack it, and drop its files separately.'],
  ['%PDF-', 'a PDF document', anyText],
  ['ARROW1\0\0', 'an Arrow (Feather) file', 'Write it as Parquet.'],
  ['ORC', 'an ORC file', 'Write it as Parquet.'],
  ['Obj\x01', 'an Avro file', 'Write it as Parquet.'],
  ['SQLite format 3\0', 'an SQLite database', anyText],
  ['\x89PNG', 'a picture', anyText],
];

/**
 * @returns undefined for text and unknown formats
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1
 * @see https://parquet.apache.org/docs/file-format/
 */
export function readSignature(bytes: Uint8Array): Signature | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1');
  if (head.startsWith('\x1f\x8b')) return { kind: 'gzip' };
  if (head.startsWith('\x28\xb5\x2f\xfd')) return { kind: 'zstd' };
  // A skippable frame may come first.
  if (head.startsWith('\x2a\x4d\x18', 1) && bytes[0]! >>> 4 === 5) return { kind: 'zstd' };
  if (head.startsWith('PAR1')) return { kind: 'parquet' };
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return readZip(head);
  if (/^(\xef\xbb\xbf)?\s*<(!doctype html|html|\?xml)/i.test(head)) {
    return other('a web page or XML', 'A download may have returned a login page. ' + anyText);
  }
  const found = others.find(([start]) => head.startsWith(start));
  // "ORC" and "BZh" may start a header, which no NULs follow.
  if (found === undefined || (found[0].length < 4 && !head.includes('\0'))) return undefined;
  return other(found[1], found[2]);
}

function readZip(head: string): Signature {
  return /\[Content_Types\]\.xml|xl\//.test(head)
    ? other('an Excel workbook (a zip)', 'Save the sheet as CSV.')
    : other('a zip archive', 'Unpack it, and drop its files separately; a single file can be a .gz or .zst.');
}

function other(name: string, remedy: string): Signature {
  return { kind: 'other', name, remedy };
}

/** Text has few control characters besides tabs and line ends. UTF-16 is exempt: every second byte may be NUL. */
export function isText(bytes: Uint8Array): boolean {
  if (readUtf16Mark(bytes) !== undefined) return true;
  let controls = 0;
  for (const byte of bytes) if (byte < 0x20 && (byte < 0x09 || byte > 0x0d)) controls += 1;
  return controls <= 16 || controls * 20 <= bytes.length;
}

/** Reads the byte order mark of UTF-16. */
export function readUtf16Mark(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}

/** Whether bytes look like UTF-16 without a byte order mark: ASCII characters with NULs between them. */
export function looksLikeUtf16(bytes: Uint8Array): boolean {
  const nuls = [0, 0];
  const length = Math.min(bytes.length, 1024) & ~1;
  for (let at = 0; at < length; at += 1) if (bytes[at] === 0) nuls[at & 1]! += 1;
  return length >= 8 && Math.max(nuls[0]!, nuls[1]!) > length * 0.35;
}

export function hasUtf8Mark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
