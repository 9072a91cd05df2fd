import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** What must come of a dirty file; see `test/golden/dirty/generate.py`. */
export interface DirtyCase {
  readonly name: string;
  readonly about: string;
  /** Its own path, and that of the file which made the dataset, where there is one. */
  readonly file: string;
  readonly before?: string;
  /** Left out when the file is refused before its rows are counted. */
  readonly rowsIn?: number;
  readonly committed?: number;
  /** When it is not UTF-8. */
  readonly encoding?: string;
  /** A `*` in a type stands for any digits; a note says at least this. */
  readonly columns?: readonly { readonly name: string; readonly type: string; readonly note?: string }[];
  /** Rows that were committed, by their place among these. */
  readonly values?: readonly { readonly index: number; readonly values: readonly (string | null)[] }[];
  readonly quarantined?: readonly ExpectedBadRow[];
  readonly refusal?: { readonly code: string; readonly says: readonly string[] };
}

export interface ExpectedBadRow {
  readonly row: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly column?: string;
  readonly code: string;
  readonly raw: string;
  readonly isLatin1?: boolean;
  readonly isCut?: boolean;
}

const corpus = join(import.meta.dirname, '../../golden/dirty');

/** Every case that is checked in. */
export function readDirtyCases(): readonly DirtyCase[] {
  return readdirSync(corpus, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.expected.json'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(corpus, path), 'utf8');
      const expected = JSON.parse(text) as Omit<DirtyCase, 'name'>;
      const within = (name: string) => join(corpus, dirname(path), name);
      return {
        ...expected,
        name: path.replace('.expected.json', ''),
        file: within(expected.file),
        ...(expected.before === undefined ? {} : { before: within(expected.before) }),
      };
    });
}

const zstandardMagic = 0xfd2fb528;

/** A case's bytes as positions count them: decompressed. */
export function readDirtyText(file: string): Buffer {
  const bytes = readFileSync(file);
  if (bytes.readUInt16BE() === 0x1f8b) return gunzipSync(bytes);
  if (bytes.length > 4 && bytes.readUInt32LE() === zstandardMagic) return readRawFrames(bytes);
  return bytes;
}

/**
 * The frames of `test/golden/dirty/compressed.py`, which hold raw blocks only. (Node's own decompression ends with
 * the first frame and says nothing of what follows.)
 */
function readRawFrames(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.readUInt32LE(at) !== zstandardMagic) throw new Error(`There is no frame at ${at}.`);
    at += 6;
    for (let isLast = false; !isLast;) {
      const head = bytes.readUIntLE(at, 3);
      isLast = (head & 1) === 1;
      blocks.push(bytes.subarray(at + 3, at + 3 + (head >> 3)));
      at += 3 + (head >> 3);
    }
  }
  return Buffer.concat(blocks);
}
