import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { AppError } from '../../../core/errors.ts';
import { ByteReader } from './byte-reader.ts';
import type { TextLimits } from '../limits.ts';
import { splitZstdFrames } from './zstd-frames.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Content may exceed the ratio within its first bytes. */
const ratioFromBytes = 64 * 1024 * 1024;
/** Three times faster than zlib's default of 16 KiB. */
const chunkSize = 256 * 1024;

/**
 * Decompresses a file: all members of a gzip file, and all frames of a Zstandard file.
 *
 * @throws UNPROCESSABLE when it is truncated or damaged; PAYLOAD_TOO_LARGE above the limits; NOT_IMPLEMENTED for Zstandard
 *   before Node 22.15; errors of the source
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  limits: Pick<TextLimits, 'maxBytes' | 'maxRatio'>,
): AsyncGenerator<Uint8Array> {
  const counter = { read: 0, written: 0 };
  for await (const bytes of openContent(countBytes(source, counter), compression, counter)) {
    counter.written += bytes.length;
    checkLimits(counter, compression, limits);
    yield bytes;
  }
}

interface Counter {
  read: number;
  written: number;
}

async function* openContent(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  counter: Counter,
): AsyncGenerator<Uint8Array> {
  switch (compression) {
    case 'none':
      return yield* source;
    case 'gzip':
      return yield* unpack(source, zlib.createGunzip({ chunkSize }), compression, counter);
    case 'zstd': {
      if (typeof zlib.createZstdDecompress !== 'function') throw noZstd();
      const reader = new ByteReader(source);
      try {
        for await (const frame of splitZstdFrames(reader))
          yield* unpack(frame, zlib.createZstdDecompress({ chunkSize }), compression, counter);
      } finally {
        await reader.close();
      }
    }
  }
}

async function* unpack(
  source: AsyncIterable<Uint8Array>,
  unpacker: Transform,
  compression: 'gzip' | 'zstd',
  counter: Counter,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source);
  const done = pipeline(input, unpacker);
  // Its failure is the unpacker's own, thrown by the loop.
  done.catch(() => undefined);
  try {
    for await (const bytes of unpacker) yield bytes as Uint8Array;
    await done;
  } catch (error) {
    throw isDamage(error) ? damaged(error, compression, counter) : error;
  } finally {
    input.destroy();
    unpacker.destroy();
  }
}

async function* countBytes(source: AsyncIterable<Uint8Array>, counter: Counter): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    counter.read += bytes.length;
    yield bytes;
  }
}

function checkLimits(
  { read, written }: Counter,
  compression: Compression,
  { maxBytes, maxRatio }: Pick<TextLimits, 'maxBytes' | 'maxRatio'>,
): void {
  if (written > maxBytes) {
    const what = compression === 'none' ? 'The file' : 'The file, decompressed,';
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `${what} exceeds the limit of ${maxBytes} bytes (maxBytes). Split the file, or raise the limit.`,
      { limit: 'maxBytes', maxBytes },
    );
  }
  if (compression !== 'none' && written > ratioFromBytes && written > read * maxRatio) {
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `The first ${read} bytes of the file decompress to ${written}, over the limit of ${maxRatio} bytes per byte (maxRatio) that protects against decompression bombs. If the file is genuine, drop it decompressed, or raise the limit.`,
      { limit: 'maxRatio', maxRatio, read, written },
    );
  }
}

interface CodedError extends Error {
  readonly code: string;
}

function isDamage(error: unknown): error is CodedError {
  return error instanceof Error && 'code' in error && /^(Z_|ZSTD_)/.test(String(error.code));
}

function damaged(error: CodedError, compression: 'gzip' | 'zstd', { read, written }: Counter): AppError {
  const ending = compression === 'gzip' ? '.gz' : '.zst';
  const facts = { compression, read, written, fault: error.code };
  if (/windowTooLarge|memory_allocation/.test(error.code)) {
    return new AppError(
      'UNPROCESSABLE',
      'The .zst file requires a window of more than 128 MiB. Compress it without --long, or with --long=27.',
      facts,
      error,
    );
  }
  const isCutOff = error.code === 'Z_BUF_ERROR';
  const what = isCutOff ? 'is cut off' : `is damaged (${error.message})`;
  return new AppError(
    'UNPROCESSABLE',
    `The ${ending} file (${compression}) ${what}: ${isCutOff ? 'all' : 'the first'} ${read} bytes decompress to ${written}. No rows were ingested; upload the whole file again.`,
    facts,
    error,
  );
}

function noZstd(): AppError {
  return new AppError(
    'NOT_IMPLEMENTED',
    `Zstandard requires Node 22.15 or newer; this is ${process.version}. Drop the file decompressed, or as .gz.`,
  );
}
