import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The expected outcome of a dirty file; see `test/golden/dirty/generate.py`. */
export interface DirtyCase {
  readonly name: string;
  readonly about: string;
  /** Its path, and the path of the file that created the dataset, if any. */
  readonly file: string;
  readonly before?: string;
  /** Omitted when the file is rejected before its rows are counted. */
  readonly rowsIn?: number;
  readonly committed?: number;
  /** When it is not UTF-8. */
  readonly encoding?: string;
  /** A `*` in a type matches any digits; a note must contain this. */
  readonly columns?: readonly { readonly name: string; readonly type: string; readonly note?: string }[];
  /** Committed rows, by their position among all committed rows. */
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

/** Every case in the repository. */
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

/** The decompressed bytes of a case, in which positions count. */
export function readDirtyText(file: string): Buffer {
  const bytes = readFileSync(file);
  if (bytes.readUInt16BE() === 0x1f8b) return gunzipSync(bytes);
  if (bytes.length > 4 && bytes.readUInt32LE() === zstandardMagic) return readRawFrames(bytes);
  return bytes;
}

/**
 * The frames of `test/golden/dirty/compressed.py`, which hold raw blocks only. (Node's own decompression ends with
 * the first frame and ignores what follows.)
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
