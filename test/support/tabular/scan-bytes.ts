import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BadRow, TextShape } from '../../../shared/formats/tabular/text-chunk.ts';
import type { ChunkSize } from '../../../shared/formats/tabular/cut-chunks.ts';
import type { TextKind } from '../../../shared/formats/tabular/detect-format.ts';
import type { Compression } from '../../../shared/formats/tabular/bytes/decompress.ts';
import { type ScanOptions, type ScanTotals, scanText } from '../../../shared/formats/tabular/scan-text.ts';

/** A good record: its position in the file, and its bytes in the chunk. */
export interface ScannedRecord {
  readonly row: number;
  readonly offset: number;
  readonly length: number;
}

export interface ScannedChunk {
  readonly content: Buffer;
  /** Bytes of each record in the file, at its reported position. */
  readonly texts: readonly Buffer[];
  readonly records: readonly ScannedRecord[];
}

export interface ScannedText {
  readonly shape: TextShape;
  readonly notes: readonly string[];
  readonly chunkSize: ChunkSize;
  readonly chunks: readonly ScannedChunk[];
  readonly bad: readonly BadRow[];
  readonly totals: ScanTotals;
  /** Files left in the folder at the end. */
  readonly left: readonly string[];
}

export interface ScanBytesOptions extends Partial<Omit<ScanOptions, 'format' | 'dir'>> {
  readonly kind?: TextKind;
  readonly compression?: Compression;
  /** Lengths of the blocks of the content, in turn; by default one block. */
  readonly blocks?: readonly number[];
}

/** Scans content to its end, and keeps all of it in memory. */
export async function scanBytes(
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  { kind = 'csv', compression = 'none', blocks, ...options }: ScanBytesOptions = {},
): Promise<ScannedText> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-scan-'));
  const bad: BadRow[] = [];
  const source =
    typeof content === 'string' || content instanceof Uint8Array
      ? splitBytes(Buffer.from(content as string), blocks)
      : content;
  try {
    await using scan = await scanText(source, {
      format: { format: kind, compression },
      dir,
      signal: new AbortController().signal,
      onBad: (row) => void bad.push(row),
      ...options,
    });
    const chunks: ScannedChunk[] = [];
    for await (const chunk of scan.chunks()) {
      const { numbers, offsets, lengths, starts } = chunk;
      const records = Array.from(numbers, (row, i) => ({ row, offset: offsets[i]!, length: lengths[i]! }));
      const content = await readFile(chunk.path);
      const texts = records.map((_, i) => content.subarray(starts[i], starts[i + 1]! - 1));
      chunks.push({ content, records, texts });
      await chunk[Symbol.asyncDispose]();
    }
    const { shape, notes, chunkSize } = scan;
    return { shape, notes, chunkSize, chunks, bad, totals: scan.totals(), left: await readdir(dir) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function* splitBytes(bytes: Buffer, blocks: readonly number[] | undefined): AsyncGenerator<Uint8Array> {
  if (blocks === undefined || blocks.length === 0) return yield bytes;
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = blocks[turn % blocks.length]!;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** The texts of good records, without line ends. */
export function textsOf(scanned: ScannedText): string[] {
  return scanned.chunks.flatMap(({ content, records }) => {
    let at = 0;
    return records.map(({ length }) => {
      const text = content.toString('utf8', at, at + length);
      at += length + 1;
      return text;
    });
  });
}

/** Chunks so small that a few hundred records make many. */
export const tinyChunks: ChunkSize = { minRecords: 4, targetRecords: 8, maxRecords: 16, maxBytes: 4096 };
