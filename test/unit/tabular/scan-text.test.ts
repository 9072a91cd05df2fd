import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { TextChunk } from '../../../shared/formats/tabular/text-chunk.ts';
import { type ScanOptions, scanText } from '../../../shared/formats/tabular/scan-text.ts';
import { tinyChunks } from '../../support/tabular/scan-bytes.ts';
import { createFolder } from '../../support/stores.ts';

/** A CSV that does not end within the test; counts the bytes read of it. */
function createSource(rows = 1_000_000) {
  const state = { sent: 0, isClosed: false };
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from('id,text\n');
      for (; state.sent < rows; state.sent += 100) {
        const lines = Array.from({ length: 100 }, (_, i) => `${state.sent + i},${(state.sent + i) * 7919}\n`);
        yield Buffer.from(lines.join(''));
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, read: read() };
}

function options(dir: string, more: Partial<ScanOptions> = {}): ScanOptions {
  return {
    format: { format: 'csv', compression: 'none' },
    dir,
    signal: new AbortController().signal,
    onBad: () => undefined,
    chunkSize: { ...tinyChunks, minRecords: 512, targetRecords: 1024, maxRecords: 2048, maxBytes: 1 << 20 },
    ...more,
  };
}

test('the header is known before the first chunk is read', async () => {
  const source = createSource();
  const dir = createFolder();
  await using scan = await scanText(source.read, options(dir));
  expect(scan.shape).toEqual({ kind: 'csv', delimiter: ',', header: ['id', 'text'] });
  expect(readdirSync(dir)).toEqual([]);
  await scan[Symbol.asyncDispose]();
  expect(source.state.isClosed).toBe(true);
});

test('buffers at most 3 chunks, with one in progress, for a slow reader', async () => {
  const source = createSource();
  const dir = createFolder();
  await using scan = await scanText(source.read, options(dir));
  const chunks = scan.chunks()[Symbol.asyncIterator]();
  const first = (await chunks.next()).value as TextChunk;
  await expect.poll(() => readdirSync(dir).length).toBe(1 + 3 + 1);
  // The scan pauses here, far before the end of its million rows.
  let sent = -1;
  await expect.poll(() => sent === (sent = source.state.sent), { interval: 50 }).toBe(true);
  expect(readdirSync(dir)).toHaveLength(1 + 3 + 1);
  expect(sent).toBeLessThan(100_000);
  await first[Symbol.asyncDispose]();
  await chunks.return?.();
});

test('leaving the loop stops the scan, and keeps only the chunks already read', async () => {
  const source = createSource();
  const dir = createFolder();
  const scan = await scanText(source.read, options(dir));
  let taken: TextChunk | undefined;
  for await (const chunk of scan.chunks()) {
    taken = chunk;
    break;
  }
  expect(source.state.isClosed).toBe(true);
  expect(readdirSync(dir)).toHaveLength(1);
  expect((await readFile(taken!.path)).length).toBe(taken!.sizeBytes);
  await taken![Symbol.asyncDispose]();
  expect(readdirSync(dir)).toEqual([]);
});

test('yields the chunks of all records in order, and leaves no files', async () => {
  const source = createSource(30_000);
  const dir = createFolder();
  await using scan = await scanText(source.read, options(dir));
  let next = 0;
  for await (const chunk of scan.chunks()) {
    const lines = (await readFile(chunk.path, 'utf8')).trimEnd().split('\n');
    expect(lines).toEqual(
      Array.from({ length: chunk.records }, (_, i) => `${next + i},${(next + i) * 7919}`),
    );
    expect(Array.from(chunk.numbers)).toEqual(lines.map((_, i) => next + i + 1));
    expect(Array.from(chunk.lengths)).toEqual(lines.map((line) => line.length));
    next += chunk.records;
    await chunk[Symbol.asyncDispose]();
  }
  expect(next).toBe(30_000);
  expect(scan.totals()).toMatchObject({ records: 30_000, badRows: 0 });
  expect(readdirSync(dir)).toEqual([]);
  await expect(scan.chunks()[Symbol.asyncIterator]().next()).rejects.toThrow(/once/);
});

test('an abort rejects with its reason', async () => {
  const controller = new AbortController();
  const source = createSource();
  const dir = createFolder();
  await using scan = await scanText(source.read, options(dir, { signal: controller.signal }));
  const walk = (async () => {
    for await (const chunk of scan.chunks()) {
      await chunk[Symbol.asyncDispose]();
      controller.abort(new RangeError('enough'));
    }
  })();
  await expect(walk).rejects.toThrow('enough');
  expect(source.state.isClosed).toBe(true);
  expect(readdirSync(dir)).toEqual([]);
});

test('an error of the source or of the bad-row listener rejects', async () => {
  const dir = createFolder();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a,b\n' + '1,2\n'.repeat(400_000));
    throw new RangeError('connection lost');
  }
  const walk = async (scan: Awaited<ReturnType<typeof scanText>>) => {
    for await (const chunk of scan.chunks()) await chunk[Symbol.asyncDispose]();
  };
  await expect(walk(await scanText(broken(), options(dir)))).rejects.toThrow('connection lost');
  expect(readdirSync(dir)).toEqual([]);

  const source = createSource();
  const onBad = async () => {
    await turn();
    throw new RangeError('too many');
  };
  await expect(
    walk(await scanText(source.read, options(dir, { onBad, delimiter: ';', header: ['a', 'b'] }))),
  ).rejects.toThrow('too many');
  expect(source.state.isClosed).toBe(true);
  expect(readdirSync(dir)).toEqual([]);
});

test('waits for a slow listener, and reports bad rows in order', async () => {
  const rows: number[] = [];
  const text = `a,b\n${'x\n'.repeat(50)}`;
  async function* read(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  const onBad = async ({ row }: { row: number }) => {
    for (let turns = (row * 7) % 3; turns > 0; turns -= 1) await turn();
    rows.push(row);
  };
  await using scan = await scanText(read(), options(createFolder(), { onBad }));
  for await (const _ of scan.chunks());
  expect(rows).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

test('closes the source when the head is refused', async () => {
  const state = { isClosed: false };
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('1,2\n');
    } finally {
      state.isClosed = true;
    }
  }
  await expect(scanText(read(), options(createFolder()))).rejects.toThrow(/header/);
  expect(state.isClosed).toBe(true);
});
