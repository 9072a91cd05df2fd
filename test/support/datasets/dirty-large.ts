import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import type { DirtyCase } from './dirty-corpus.ts';

const mib = 2 ** 20;
const columns = [
  { name: 'id', type: 'int64' },
  { name: 'name', type: 'string' },
];
const header = 'id,name\n';
/** How much of a long row is kept in quarantine. */
const keptBytes = 64 * 1024;

/** Large cases, generated when needed, without randomness. */
export const largeCases: readonly {
  readonly name: string;
  readonly make: (folder: string) => Promise<DirtyCase>;
}[] = [
  { name: 'ten-thousand-columns', make: makeManyColumns },
  { name: 'hundred-megabyte-line', make: makeLongLine },
  { name: 'hundred-megabyte-header', make: makeLongHeader },
  { name: 'quote-open-for-twenty-megabytes', make: makeOpenQuote },
  { name: 'gzip-bomb', make: makeGzipBomb },
  { name: 'zstandard-bomb', make: makeZstandardBomb },
];

/** The decompressed size of a bomb. */
export const bombBytes = 4 * 1024 * mib;

async function makeManyColumns(folder: string): Promise<DirtyCase> {
  const file = join(folder, 'wide.csv');
  const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
  const rows = Array.from({ length: 20 }, (_, row) => names.map((_name, i) => row * 10_000 + i).join(','));
  await writeFile(file, `${names.join(',')}\n${rows.join('\n')}\n`);
  return {
    name: 'ten-thousand-columns',
    about: 'Wide tables are tables.',
    file,
    rowsIn: 20,
    committed: 20,
    columns: names.map((name) => ({ name, type: 'int64' })),
    values: [{ index: 19, values: names.map((_name, i) => String(190_000 + i)) }],
    quarantined: [],
  };
}

async function makeLongLine(folder: string): Promise<DirtyCase> {
  const file = join(folder, 'long-line.csv');
  const before = header + writeRows(1, 150);
  const length = 100_000_000;
  await stream(file, [before, '150,', ...repeat('x', length - 4), '\n', writeRows(151, 301)]);
  return {
    name: 'hundred-megabyte-line',
    about: 'One row is longer than any row may be: it alone is bad.',
    file,
    rowsIn: 300,
    committed: 299,
    columns,
    quarantined: [
      {
        row: 150,
        byteOffset: before.length,
        byteLength: length,
        code: 'TOO_LONG',
        raw: `150,${'x'.repeat(keptBytes - 4)}`,
        isCut: true,
      },
    ],
  };
}

async function makeLongHeader(folder: string): Promise<DirtyCase> {
  const file = join(folder, 'long-header.csv');
  await stream(file, repeat('x', 100_000_000));
  return {
    name: 'hundred-megabyte-header',
    about: 'No line end anywhere.',
    file,
    refusal: { code: 'UNPROCESSABLE', says: ['header'] },
  };
}

async function makeOpenQuote(folder: string): Promise<DirtyCase> {
  const file = join(folder, 'open-quote.csv');
  const before = header + writeRows(1, 150);
  const raw = '150,"name 150';
  // More than `maxRecordBytes`: 21 MB.
  await stream(file, [before, `${raw}\n`, ...writeMany(151, 1_100_001)]);
  return {
    name: 'quote-open-for-twenty-megabytes',
    about:
      'The quote of row 150 is never closed; detecting that must not take the memory of the rest of the file.',
    file,
    rowsIn: 1_100_000,
    committed: 1_099_999,
    columns,
    quarantined: [
      { row: 150, byteOffset: before.length, byteLength: raw.length, code: 'UNTERMINATED_QUOTE', raw },
    ],
  };
}

async function makeGzipBomb(folder: string): Promise<DirtyCase> {
  const file = join(folder, 'bomb.csv.gz');
  // Few long rows, because only the bytes matter and typing millions of short rows is slow.
  const row = `1,${'a'.repeat(4 * 1024 - 3)}\n`;
  const rows = Buffer.from(row.repeat((64 * mib) / row.length));
  const member = gzipSync(rows, { level: 9 });
  const members = Array.from({ length: bombBytes / rows.length }, () => member);
  await writeFile(file, Buffer.concat([gzipSync(header), ...members]));
  return {
    name: 'gzip-bomb',
    about: `${bombBytes / mib} MiB in a few: refused long before they are on the disk.`,
    file,
    refusal: { code: 'PAYLOAD_TOO_LARGE', says: ['limit'] },
  };
}

/** Blocks that say "this byte, 128 KiB of it" in four bytes. @see RFC 8878, 3.1.1.2 */
async function makeZstandardBomb(folder: string): Promise<DirtyCase> {
  const file = join(folder, 'bomb.csv.zst');
  const size = 128 * 1024;
  const block = (kind: number, length: number, isLast: boolean, content: Uint8Array) => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE((length << 3) | (kind << 1) | Number(isLast));
    return Buffer.concat([head.subarray(0, 3), content]);
  };
  const start = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
  const text = Buffer.from(`${header}1,a\n2,`);
  const repeats = Array.from({ length: bombBytes / size }, (_, i, all = bombBytes / size) =>
    block(1, size, i === all - 1, Buffer.from('a')),
  );
  await writeFile(file, Buffer.concat([start, block(0, text.length, false, text), ...repeats]));
  return {
    name: 'zstandard-bomb',
    about: `${bombBytes / mib} MiB in 128 KiB.`,
    file,
    refusal: { code: 'PAYLOAD_TOO_LARGE', says: ['limit'] },
  };
}

function writeRows(from: number, to: number): string {
  let text = '';
  for (let row = from; row < to; row += 1) text += `${row},name ${row}\n`;
  return text;
}

function* writeMany(from: number, to: number): Generator<string> {
  for (let row = from; row < to; row += 10_000) yield writeRows(row, Math.min(to, row + 10_000));
}

function* repeat(character: string, length: number): Generator<string> {
  const block = character.repeat(mib);
  for (let left = length; left > 0; left -= mib) yield left < mib ? character.repeat(left) : block;
}

async function stream(file: string, parts: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(parts), createWriteStream(file));
}
