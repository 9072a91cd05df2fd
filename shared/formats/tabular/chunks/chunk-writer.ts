import { type FileHandle, open, rm } from 'node:fs/promises';
import { AppError } from '../../../core/errors.ts';
import type { TextChunk, TextShape } from '../text-chunk.ts';

/** Writes the file of one chunk, and collects the positions of its records. */
export class ChunkWriter {
  records = 0;
  sizeBytes = 0;
  readonly #path: string;
  readonly #file: Promise<FileHandle>;
  readonly #writes: Promise<void>[] = [];
  #written = 0;
  #numbers = new Float64Array(1024);
  #offsets = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  #starts = new Uint32Array(1024);

  constructor(path: string) {
    this.#path = path;
    this.#file = open(path, 'wx');
    // A failure is thrown by `write` and `finish`.
    this.#file.catch(() => undefined);
  }

  /** Adds the position of a record whose bytes are passed to `write`. @param length in the file it comes from */
  add(number: number, offset: number, length: number, sizeBytes: number): void {
    const index = this.records;
    if (index === this.#lengths.length) this.#grow();
    this.#numbers[index] = number;
    this.#offsets[index] = offset;
    this.#lengths[index] = length;
    this.#starts[index] = this.sizeBytes;
    this.records = index + 1;
    this.sizeBytes += sizeBytes;
  }

  /** Appends bytes, which must not change until the promise resolves. `finish` throws a failure as well. */
  write(bytes: Uint8Array): Promise<void> {
    const position = this.#written;
    this.#written += bytes.length;
    const done = this.#writeAt(bytes, position);
    done.catch(() => undefined);
    this.#writes.push(done);
    return done;
  }

  async finish(shape: TextShape): Promise<TextChunk> {
    try {
      await Promise.all(this.#writes);
      await (await this.#file).close();
    } catch (error) {
      await this.abandon();
      throw translate(error);
    }
    const path = this.#path;
    const starts = new Uint32Array(this.records + 1);
    starts.set(this.#starts.subarray(0, this.records));
    starts[this.records] = this.sizeBytes;
    return {
      path,
      shape,
      sizeBytes: this.sizeBytes,
      records: this.records,
      starts,
      numbers: this.#numbers.slice(0, this.records),
      offsets: this.#offsets.slice(0, this.records),
      lengths: this.#lengths.slice(0, this.records),
      [Symbol.asyncDispose]: () => rm(path, { force: true }),
    };
  }

  async abandon(): Promise<void> {
    await Promise.allSettled(this.#writes);
    const file = await this.#file.catch(() => undefined);
    await file?.close().catch(() => undefined);
    await rm(this.#path, { force: true });
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    const file = await this.#file;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  #grow(): void {
    const numbers = new Float64Array(this.records * 2);
    const offsets = new Float64Array(this.records * 2);
    const lengths = new Uint32Array(this.records * 2);
    const starts = new Uint32Array(this.records * 2);
    numbers.set(this.#numbers);
    offsets.set(this.#offsets);
    lengths.set(this.#lengths);
    starts.set(this.#starts);
    this.#numbers = numbers;
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#starts = starts;
  }
}

function translate(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new AppError('INSUFFICIENT_STORAGE', 'The disk for temporary files is full.', {}, error)
    : error;
}
