import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { BadRow } from '../../../../formats/tabular/text-chunk.ts';

const maxExamples = 100;

/** Bad rows in a local file, one JSON object per line. Memory holds the first hundred and counts by code. */
export class BadRows {
  readonly path: string;
  readonly #file;
  readonly #codes = new Map<string, number>();
  readonly #examples: BadRow[] = [];
  #rows = 0;
  #failed: Error | undefined;

  constructor(path: string) {
    this.path = path;
    this.#file = createWriteStream(path);
    this.#file.on('error', (error) => (this.#failed = error));
  }

  get rows(): number {
    return this.#rows;
  }

  /** Rows by code, the most frequent code first. */
  get codes(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#codes].sort(([, a], [, b]) => b - a));
  }

  get examples(): readonly BadRow[] {
    return this.#examples;
  }

  /** @returns false when the buffer is full: await `drain` before adding more */
  add(row: BadRow): boolean {
    this.#rows += 1;
    this.#codes.set(row.code, (this.#codes.get(row.code) ?? 0) + 1);
    if (this.#examples.length < maxExamples) this.#examples.push(row);
    return this.#file.write(`${JSON.stringify(row)}\n`);
  }

  async addAll(rows: readonly BadRow[]): Promise<void> {
    for (const row of rows) if (!this.add(row)) await this.drain();
  }

  async drain(): Promise<void> {
    if (this.#failed) throw this.#failed;
    if (this.#file.writableNeedDrain) await once(this.#file, 'drain');
  }

  async close(): Promise<void> {
    this.#file.end();
    await finished(this.#file);
    if (this.#failed) throw this.#failed;
  }

  /** Reads the file. Call it after `close`. */
  open(): AsyncIterable<Uint8Array> {
    return createReadStream(this.path);
  }
}
