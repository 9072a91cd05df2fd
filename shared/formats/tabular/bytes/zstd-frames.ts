import { AppError } from '../../../core/errors.ts';
import type { ByteReader } from './byte-reader.ts';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/**
 * Splits a Zstandard file into its frames without decompressing it. Node's decompressor stops after the first frame and
 * ignores the rest, but `cat a.zst b.zst` and pzstd write several. Invalid frames are passed on for the decompressor to
 * refuse.
 *
 * @throws UNPROCESSABLE when other bytes follow a frame
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3
 */
export async function* splitZstdFrames(reader: ByteReader): AsyncGenerator<AsyncIterable<Uint8Array>> {
  for (let isFirst = true; ; isFirst = false) {
    const head = toView(await reader.peek(8));
    if (head.byteLength === 0 && !isFirst) return;
    const magic = head.byteLength < 4 ? 0 : head.getUint32(0, true);
    if (magic >>> 4 === skippableMagic >>> 4 && head.byteLength === 8) {
      const end = reader.position + 8 + head.getUint32(4, true);
      for await (const _ of reader.take(end - reader.position));
      if (reader.position < end) throw notAFrame(end);
    } else if (magic === frameMagic || isFirst) yield readFrame(reader);
    else throw notAFrame(reader.position);
  }
}

async function* readFrame(reader: ByteReader): AsyncGenerator<Uint8Array> {
  const head = toView(await reader.peek(5));
  if (head.byteLength < 5 || head.getUint32(0, true) !== frameMagic) return yield* reader.take(5);
  const descriptor = head.getUint8(4);
  const hasOneSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = [hasOneSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6]!;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  yield* reader.take(5 + (hasOneSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
  for (let isLast = false; !isLast;) {
    const block = await reader.peek(3);
    if (block.length < 3) return yield* reader.take(3);
    const word = block[0]! | (block[1]! << 8) | (block[2]! << 16);
    const kind = (word >>> 1) & 3;
    isLast = (word & 1) !== 0;
    // A run-length block (1) has one byte.
    yield* reader.take(3 + (kind === 1 ? 1 : word >>> 3));
  }
  const hasChecksum = (descriptor & 0x04) !== 0;
  if (hasChecksum) yield* reader.take(4);
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function notAFrame(position: number): AppError {
  return new AppError(
    'UNPROCESSABLE',
    `The .zst file is damaged: at byte ${position}, after the end of a Zstandard frame, there is neither another frame nor the end of the file. Compress and upload it again.`,
    { position },
  );
}
