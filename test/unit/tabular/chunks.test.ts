import { describe, expect, test } from 'vitest';
import { chooseChunkSize, type ChunkSize, hashRecord } from '../../../shared/formats/tabular/cut-chunks.ts';
import { scanBytes, type ScannedText, tinyChunks } from '../../support/tabular/scan-bytes.ts';

const size: ChunkSize = { minRecords: 64, targetRecords: 128, maxRecords: 256, maxBytes: 1 << 20 };
const header = 'id,value\n';

/** Random records of a fixed seed: high bits of Knuth's MMIX generator. */
function makeRows(count: number, seed = 1n): string[] {
  let state = seed;
  return Array.from({ length: count }, (_, i) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return `${i},${(state >> 33n).toString(36)}`;
  });
}

const chunk = (rows: readonly string[], options: Parameters<typeof scanBytes>[1] = {}) =>
  scanBytes(header + rows.join('\n') + '\n', { chunkSize: size, ...options });

const contents = ({ chunks }: Pick<ScannedText, 'chunks'>) =>
  chunks.map(({ content }) => content.toString('latin1'));

/** The number of chunks that are not among the others. */
function countNew(of: ScannedText, known: ReadonlySet<string>): number {
  return contents(of).filter((content) => !known.has(content)).length;
}

describe('chunks', () => {
  const rows = makeRows(8_000);

  test('hold all records in order, within the limits, close to the target', async () => {
    const { chunks } = await chunk(rows);
    expect(contents({ chunks }).join('')).toBe(rows.join('\n') + '\n');
    const records = chunks.map((one) => one.records.length);
    for (const count of records.slice(0, -1)) {
      expect(count).toBeGreaterThanOrEqual(size.minRecords);
      expect(count).toBeLessThanOrEqual(size.maxRecords);
    }
    const mean = rows.length / chunks.length;
    expect(mean).toBeGreaterThan(size.targetRecords * 0.8);
    expect(mean).toBeLessThan(size.targetRecords * 1.1);
    // Hardly any chunk ends because it is full: such an end would shift with every earlier change.
    expect(records.filter((count) => count === size.maxRecords).length).toBeLessThan(2);
  });

  test.each([
    ['deleted', (at: number) => [...rows.slice(0, at), ...rows.slice(at + 1)]],
    ['inserted', (at: number) => [...rows.slice(0, at), 'new,row', ...rows.slice(at)]],
    ['changed', (at: number) => [...rows.slice(0, at), `${at},changed`, ...rows.slice(at + 1)]],
    ['a block inserted', (at: number) => [...rows.slice(0, at), ...makeRows(300, 7n), ...rows.slice(at)]],
    ['broken', (at: number) => [...rows.slice(0, at), 'ragged', ...rows.slice(at + 1)]],
  ])('a row %s anywhere leaves the other chunks unchanged', async (what, edit) => {
    const known = new Set(contents(await chunk(rows)));
    const news: number[] = [];
    for (let at = 0; at < rows.length; at += 197) news.push(countNew(await chunk(edit(at)), known));
    const total = news.reduce((sum, count) => sum + count, 0);
    // Of the 300 inserted rows.
    const own = what === 'a block inserted' ? 3 : 0;
    expect(total / news.length).toBeLessThan(1.4 + own);
    expect(Math.max(...news)).toBeLessThan(6 + 2 * own);
  });

  test('appended rows change only the last chunk', async () => {
    const before = await chunk(rows.slice(0, 6_000));
    const after = await chunk(rows);
    expect(contents(after).slice(0, before.chunks.length - 1)).toEqual(contents(before).slice(0, -1));
  });

  test('rows with few distinct values are split at the same places, too', async () => {
    const few = makeRows(8_000).map((_, i) => `a,${((i * i * 7919) % 10_007) % 5}`);
    const known = new Set(contents(await chunk(few)));
    const edited = await chunk([...few.slice(0, 3000), 'b,1', ...few.slice(3000)]);
    expect(countNew(edited, known)).toBeLessThan(6);
  });

  test('do not depend on the size of reads or on line ends', async () => {
    const expected = contents(await chunk(rows));
    for (const blocks of [[7], [1000, 1], [65_536]])
      expect(contents(await chunk(rows, { blocks }))).toEqual(expected);
    const windows = await scanBytes(header + rows.join('\r\n\r\n'), { chunkSize: size });
    expect(contents(windows)).toEqual(expected);
  });

  test('allocate no more than their records need', async () => {
    const long = rows.slice(0, 600).map((row) => `${row}${'x'.repeat(300)}`);
    const scanned = await chunk(long, { chunkSize: { ...size, maxBytes: 5_000 } });
    expect(contents(scanned).join('')).toBe(long.join('\n') + '\n');
    for (const { content } of scanned.chunks) expect(content.length).toBeLessThanOrEqual(5_000);
    const one = await chunk(['1,x', `2,${'x'.repeat(9000)}`, '3,y'], {
      chunkSize: { ...size, maxBytes: 5_000 },
    });
    expect(one.chunks.map(({ records }) => records.map(({ row }) => row))).toEqual([[1], [2], [3]]);
  });

  test('count bad rows in their row numbers, too', async () => {
    const mixed = rows.slice(0, 1000).map((row, i) => (i % 10 === 3 ? 'ragged' : row));
    const { chunks, bad } = await chunk(mixed);
    const numbers = [
      ...chunks.flatMap(({ records }) => records.map(({ row }) => row)),
      ...bad.map(({ row }) => row),
    ];
    expect(numbers.sort((a, b) => a - b)).toEqual(mixed.map((_, i) => i + 1));
  });

  test('have the given size, or one estimated from the first records', async () => {
    expect(
      (await scanBytes(header + rows.slice(0, 200).join('\n'), { chunkSize: tinyChunks })).chunkSize,
    ).toEqual(tinyChunks);
    // 226 bytes a record, line end included: 8 MiB are 37,118 records.
    const wide = Array.from({ length: 9000 }, () => `1,${'x'.repeat(223)}`);
    const chosen = await scanBytes(header + wide.join('\n'));
    expect(chosen.chunkSize).toEqual({
      minRecords: 16_384,
      targetRecords: 32_768,
      maxRecords: 65_536,
      maxBytes: 32 * 1024 * 1024,
    });
    expect(chooseChunkSize(2).targetRecords).toBe(2 ** 18);
    expect(chooseChunkSize(16 * 1024 * 1024).targetRecords).toBe(8);
    expect(chooseChunkSize(0).targetRecords).toBe(2 ** 18);
    expect(chooseChunkSize(Infinity).targetRecords).toBe(8);
  });

  test('have the size that the nearest double to log2 gives, so that tables are cut as before', () => {
    const byLogarithm = (bytesPerRecord: number) =>
      2 ** Math.min(18, Math.max(3, Math.round(Math.log2(2 ** 23 / Math.max(1, bytesPerRecord)))));
    const sizes: number[] = [];
    // The size falls as records grow: the two can differ only beside a change.
    for (let log2 = -2; log2 <= 23; log2 += 0.5)
      for (let ulps = -100; ulps <= 100; ulps += 1) {
        const bytesPerRecord = (2 ** 23 / 2 ** log2) * (1 + ulps * Number.EPSILON);
        const { targetRecords } = chooseChunkSize(bytesPerRecord);
        sizes.push(targetRecords);
        if (targetRecords !== byLogarithm(bytesPerRecord)) expect.fail(`${bytesPerRecord} bytes a record`);
      }
    expect(new Set(sizes).size).toBe(16);
    // A table of this size was cut so, though √2 is nearer to the larger size.
    expect(chooseChunkSize(180_956_296 / 3_998_607).targetRecords).toBe(byLogarithm(180_956_296 / 3_998_607));
  });
});

test('hashes of records that differ in any one byte differ, with balanced bits', () => {
  const ones = new Float64Array(32);
  let hashes = 0;
  for (const length of [0, 1, 3, 4, 5, 31, 64]) {
    for (let at = 0; at < Math.max(1, length); at += 1) {
      const bytes = new Uint8Array(length + 9);
      const view = new DataView(bytes.buffer);
      const before = hashRecord(view, 0, length);
      bytes.copyWithin(7, 0, length);
      expect(hashRecord(view, 7, 7 + length)).toBe(before);
      if (length === 0) continue;
      for (let value = 1; value < 256; value += 1) {
        bytes[7 + at] = value;
        const hash = hashRecord(view, 7, 7 + length);
        expect(hash).not.toBe(before);
        for (let bit = 0; bit < 32; bit += 1) ones[bit]! += (hash >>> bit) & 1;
        hashes += 1;
      }
    }
  }
  for (const count of ones) expect(Math.abs(count / hashes - 0.5)).toBeLessThan(0.02);
});
