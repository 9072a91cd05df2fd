import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decompress, type Compression } from '../../../shared/formats/tabular/bytes/decompress.ts';
import { defaultTextLimits, type TextLimits } from '../../../shared/formats/tabular/limits.ts';
import { scanBytes } from '../../support/tabular/scan-bytes.ts';

async function unpack(
  bytes: Buffer | AsyncIterable<Uint8Array>,
  compression: Compression,
  { limits = {}, block = 1 << 16 }: { limits?: Partial<TextLimits>; block?: number } = {},
): Promise<Buffer> {
  const source = Buffer.isBuffer(bytes) ? split(bytes, block) : bytes;
  const pieces: Uint8Array[] = [];
  for await (const piece of decompress(source, compression, { ...defaultTextLimits, ...limits }))
    pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* split(bytes: Buffer, block: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += block) yield bytes.subarray(at, at + block);
}

const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i},${(i * 7919) % 10_007}\n`).join(''));
const pack = {
  gzip: (bytes: Buffer) => gzipSync(bytes),
  zstd: (bytes: Buffer) =>
    zstdCompressSync(bytes, {
      params: { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_contentSizeFlag]: 1 },
    }),
};
const skippable = (length: number) =>
  Buffer.concat([Buffer.from('5f2a4d18', 'hex'), Buffer.of(length, 0, 0, 0), Buffer.alloc(length)]);

describe.each(['gzip', 'zstd'] as const)('%s', (compression) => {
  const packed = pack[compression](text);

  test('is read in pieces of any size', async () => {
    for (const block of [17, 4096, 1 << 20]) {
      expect((await unpack(packed, compression, { block })).equals(text)).toBe(true);
    }
  });

  test('reads all members or frames', async () => {
    const parts = [text.subarray(0, 1), text.subarray(1, 1000), Buffer.alloc(0), text.subarray(1000, 3000)];
    const file = Buffer.concat(parts.map((part) => pack[compression](part)));
    for (const block of [1, 1000, 1 << 20]) {
      expect((await unpack(file, compression, { block })).equals(text.subarray(0, 3000))).toBe(true);
    }
  });

  test('refuses a file cut off anywhere, with the position', async () => {
    for (const length of [0, 1, 3, 5, 9, 100, packed.length >> 1, packed.length - 5, packed.length - 1]) {
      const refusal = unpack(packed.subarray(0, length), compression);
      await expect(refusal).rejects.toMatchObject({
        code: 'UNPROCESSABLE',
        details: { compression, read: length },
      });
      await expect(refusal).rejects.toThrow(/is cut off: all \d+ bytes decompress to \d+/);
    }
    // In a second member or frame, too.
    const two = Buffer.concat([packed, packed.subarray(0, 2000)]);
    await expect(unpack(two, compression)).rejects.toThrow(/cut off/);
  });

  test('refuses a file that is damaged or followed by other bytes', async () => {
    for (const at of [packed.length >> 1, packed.length - 2]) {
      const changed = Buffer.from(packed);
      changed[at]! ^= 0x10;
      await expect(unpack(changed, compression)).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    }
    const skipped = skippable(100).subarray(0, 50);
    for (const rubbish of ['x', 'rubbish behind it', skipped]) {
      const refusal = unpack(Buffer.concat([packed, Buffer.from(rubbish as string)]), compression);
      await expect(refusal).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
      await expect(refusal).rejects.toThrow(compression === 'gzip' ? /\.gz/ : /\.zst/);
    }
  });

  test('a failing source is not reported as a damaged file', async () => {
    const source = async function* () {
      yield packed.subarray(0, 1000);
      throw new RangeError('connection lost');
    };
    await expect(unpack(source(), compression)).rejects.toThrow(RangeError);
  });

  test('closes the source when the reader leaves early', async () => {
    let hasEnded = false;
    const source = async function* () {
      try {
        for (;;) yield* split(packed, 1000);
      } finally {
        hasEnded = true;
      }
    };
    for await (const _ of decompress(source(), compression, defaultTextLimits)) break;
    await expect.poll(() => hasEnded).toBe(true);
  });

  test('refuses output over the limit, or implausible for the compressed size', async () => {
    const zeros = pack[compression](Buffer.alloc(80 << 20, 'a,b\n'));
    await expect(unpack(zeros, compression, { limits: { maxBytes: 1 << 20 } })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 'maxBytes', maxBytes: 1 << 20 },
    });
    await expect(unpack(zeros, compression, { limits: { maxRatio: 100 } })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 'maxRatio', maxRatio: 100 },
    });
  });
});

test('reads frames of zstd and pzstd: run-length blocks, skippable frames, no checksums', async () => {
  const zeros = Buffer.alloc(1 << 20);
  const plain = zstdCompressSync(zeros, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  const raw = zstdCompressSync(Buffer.from('abc'), { params: { [constants.ZSTD_c_checksumFlag]: 0 } });
  const file = Buffer.concat([skippable(5), plain, skippable(0), raw, skippable(200)]);
  for (const block of [1, 7, 1 << 20]) {
    const content = await unpack(file, 'zstd', { block });
    expect(content.equals(Buffer.concat([zeros, Buffer.from('abc')]))).toBe(true);
  }
});

test('refuses a long window with the remedy', async () => {
  // A frame header with a window of 2 GiB: RFC 8878, 3.1.1.1.2.
  const frame = Buffer.concat([
    Buffer.from('28b52ffd', 'hex'),
    Buffer.of(0, (31 - 10) << 3),
    Buffer.of(1, 0, 0),
  ]);
  await expect(unpack(frame, 'zstd')).rejects.toThrow(/window of more than 128 MiB.*--long/);
});

test('limits a plain file, too', async () => {
  await expect(unpack(text, 'none', { limits: { maxBytes: 1000 } })).rejects.toThrow(
    /exceeds the limit of 1000 bytes.*maxBytes/,
  );
});

test('reports positions in the decompressed bytes', async () => {
  const plain = await scanBytes('a,b\n1,2\n3\n');
  const packed = await scanBytes(gzipSync('a,b\n1,2\n3\n'), { compression: 'gzip' });
  expect(packed).toEqual(plain);
});

test('detects the format of the decompressed content', async () => {
  await expect(scanBytes(gzipSync(gzipSync('a,b\n')), { compression: 'gzip' })).rejects.toThrow(
    /another format: gzip.*twice/,
  );
  await expect(scanBytes(gzipSync('PAR1....'), { compression: 'gzip' })).rejects.toThrow(/parquet/);
  await expect(scanBytes(gzipSync(''), { compression: 'gzip' })).rejects.toThrow(/empty/);
});
