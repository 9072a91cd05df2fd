import { isUtf8 } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRfc4180 } from '../support/datasets/read-rfc4180.ts';
import { scanBytes, type ScannedText, tinyChunks } from '../support/tabular/scan-bytes.ts';
import { createFolder } from '../support/stores.ts';

const lineEnd = fc.constantFrom('\n', '\n', '\r\n', '\r');
/** So small that records span windows; the header must fit. */
const windowBytes = fc.integer({ min: 32, max: 300 });
const blocks = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });

const how = fc.record({ blocks, windowBytes });

/** A record of a file as bytes, and its expected outcome. */
interface Item {
  readonly bytes: Buffer;
  readonly values?: readonly string[];
  readonly code?: string;
}

// Control characters are rare: a file full of them is refused as binary.
const character = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...Array.from('ab01 ,;"\n\r\t|é東🛩\u2028')) },
  fc.constantFrom('\0', '\x01'),
);
const text = fc.string({ unit: character, maxLength: 8 });

function writeField(value: string, delimiter: string, isQuoted: boolean): string {
  const mustQuote = isQuoted || /["\r\n]/.test(value) || value.includes(delimiter);
  return mustQuote ? `"${value.replaceAll('"', '""')}"` : value;
}

function goodItem(columns: number, delimiter: string): fc.Arbitrary<Item> {
  const field = fc.tuple(text, fc.boolean());
  return fc.array(field, { minLength: columns, maxLength: columns }).map((fields) => {
    const written = fields.map(([value, isQuoted]) => writeField(value, delimiter, isQuoted)).join(delimiter);
    // An empty record would be a blank line.
    return { bytes: Buffer.from(written || '""'), values: fields.map(([value]) => value) };
  });
}

/** Each on one line, so that there is only one interpretation. */
function badItem(columns: number, delimiter: string): fc.Arbitrary<Item> {
  const fill = (first: string, count: number) =>
    [first, ...Array.from({ length: count - 1 }, () => 'x')].join(delimiter);
  const word = fc.string({ unit: fc.constantFrom('a', 'é', ' '), minLength: 1, maxLength: 9 });
  return fc
    .oneof(
      fc
        .tuple(word, fc.integer({ min: 1, max: 9 }))
        .filter(([, count]) => count !== columns)
        .map(([value, count]) => [fill(value, count), 'RAGGED_ROW']),
      word.map((value) => [fill(`${value}"${value}`, columns), 'QUOTE_IN_FIELD']),
      word.map((value) => [fill(`"${value}"${value}`, columns), 'TEXT_AFTER_QUOTE']),
      word.map((value) => [fill(`${value}\xff`, columns), 'BAD_ENCODING']),
    )
    .map(([written, code]) => ({
      bytes: Buffer.from(written!, code === 'BAD_ENCODING' ? 'latin1' : 'utf8'),
      code: code!,
    }));
}

const file = fc
  .record({ columns: fc.integer({ min: 1, max: 7 }), delimiter: fc.constantFrom(',', ';', '\t', '|') })
  .chain(({ columns, delimiter }) =>
    fc.record({
      columns: fc.constant(columns),
      delimiter: fc.constant(delimiter),
      items: fc.array(
        fc.tuple(
          fc.oneof({ weight: 4, arbitrary: goodItem(columns, delimiter) }, badItem(columns, delimiter)),
          lineEnd,
          fc.constantFrom('', '', '', '\n', '\r\n\n'),
        ),
        { maxLength: 60 },
      ),
      mark: fc.constantFrom('', '\ufeff'),
      hasLastEnd: fc.boolean(),
      blocks,
      windowBytes,
    }),
  );

test('every record of a generated file has its position and values', async () => {
  const folder = createFolder();
  const duckdb = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await fc.assert(
    fc.asyncProperty(file, async ({ columns, delimiter, items, mark, hasLastEnd, ...how }) => {
      const names = Array.from({ length: columns }, (_, i) => `c${i}`);
      const parts: Buffer[] = [Buffer.from(`${mark}${names.join(delimiter)}\n`)];
      let offset = parts[0]!.length;
      const placed = items.map(([item, end, blank], index) => {
        const isLast = index === items.length - 1;
        const tail = isLast && !hasLastEnd ? '' : end + blank;
        parts.push(item.bytes, Buffer.from(tail));
        const place = { ...item, row: index + 1, offset, length: item.bytes.length };
        offset += item.bytes.length + tail.length;
        return place;
      });
      const content = Buffer.concat(parts);
      const scanned = await scanBytes(content, { ...how, delimiter, chunkSize: tinyChunks });

      expect(scanned.shape).toEqual({ kind: 'csv', delimiter, header: names });
      const good = placed.filter((item) => item.values);
      expect(scanned.chunks.flatMap(({ records }) => records)).toEqual(
        good.map(({ row, offset: at, length }) => ({ row, offset: at, length })),
      );
      const texts = scanned.chunks.flatMap((chunk) => chunk.texts);
      expect(texts.map(String)).toEqual(good.map(({ bytes }) => String(bytes)));
      const written = Buffer.concat(good.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
      expect(Buffer.concat(scanned.chunks.map((chunk) => chunk.content)).equals(written)).toBe(true);
      expect(
        scanned.bad.map(({ row, byteOffset, byteLength, code }) => ({ row, byteOffset, byteLength, code })),
      ).toEqual(
        placed
          .filter((item) => item.code)
          .map((item) => ({
            row: item.row,
            byteOffset: item.offset,
            byteLength: item.length,
            code: item.code,
          })),
      );
      expect(scanned.totals).toMatchObject({
        records: items.length,
        bytes: content.length,
        chunks: scanned.chunks.length,
      });

      // Other readers find the same values in the chunks.
      expect(readRfc4180(written.toString(), delimiter)).toEqual(good.map(({ values }) => values));
      if (good.length === 0) return;
      const path = join(folder, 'chunk.csv');
      writeFileSync(path, written);
      const rows = await duckdb.runAndReadAll(
        `SELECT * FROM read_csv('${path}', header = false, auto_detect = false, delim = '${delimiter}', quote = '"', escape = '"',
           new_line = '\\n', columns = {${names.map((name) => `'${name}': 'VARCHAR'`).join(', ')}}, strict_mode = true, parallel = false)`,
      );
      expect(rows.getRows().map((row) => row.map((value) => value ?? ''))).toEqual(
        good.map(({ values }) => values),
      );
    }),
    { numRuns: 150 },
  );
});

const soup = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', ',', ',', '"', '\n', '\r', '\r\n', 'é', 'bb,') },
  { weight: 2, arbitrary: fc.constantFrom('"x"', '"",', '"y\nz"', 'a,b\n', 'c,d\n', '\n"') },
  fc.constantFrom('\xff', '\xe9', '\xf0\x9f', '\xed\xa0\x80', 'x\0yyyyyyyyyyyyyyyyyyyyyyyy'),
);
const soups = fc
  .array(soup, { maxLength: 120 })
  .map((pieces) =>
    Buffer.concat(
      pieces.map((piece) =>
        Buffer.from(piece, /[\x80-\xff]/.test(piece) && piece !== 'é' ? 'latin1' : 'utf8'),
      ),
    ),
  );

/** All records, good and bad, by their position in the file. */
function placesOf(scanned: ScannedText) {
  const good = scanned.chunks.flatMap(({ content, records }) => {
    let at = 0;
    return records.map(({ row, offset, length }) => {
      const bytes = content.subarray(at, at + length);
      at += length + 1;
      return { row, offset, length, bytes };
    });
  });
  const bad = scanned.bad.map(({ row, byteOffset: offset, byteLength: length, code }) => ({
    row,
    offset,
    length,
    code,
  }));
  return { good, bad, all: [...good, ...bad].sort((a, b) => a.row - b.row) };
}

function checkAccount(content: Buffer, scanned: ScannedText, headerBytes: number): void {
  const { good, bad, all } = placesOf(scanned);
  expect(all.map(({ row }) => row)).toEqual(all.map((_, index) => index + 1));
  expect(scanned.totals).toMatchObject({ records: all.length, badRows: bad.length, bytes: content.length });
  let end = headerBytes;
  for (const { offset, length } of all) {
    // Only line ends are between records; in JSON Lines also blanks.
    expect(content.toString('latin1', end, offset)).toMatch(
      scanned.shape.kind === 'csv' ? /^[\r\n]*$/ : /^[\r\n\t ]*$/,
    );
    expect(length).toBeGreaterThan(0);
    end = offset + length;
  }
  expect(content.toString('latin1', end)).toMatch(/^[\r\n\t ]*$/);
  for (const { offset, length, bytes } of good)
    expect(content.subarray(offset, offset + length).equals(bytes)).toBe(true);
}

test('for any bytes: good records are RFC 4180, bad ones are not, and the sizes of blocks and windows do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(soups, how, fc.constantFrom(12, 40, 1 << 20), async (body, pieces, maxRecordBytes) => {
      const header = Buffer.from('h1,h2\n');
      const content = Buffer.concat([header, body]);
      const options = { limits: { maxRecordBytes }, delimiter: ',', chunkSize: tinyChunks };
      const scanned = await scanBytes(content, options);
      checkAccount(content, scanned, header.length);
      expect(await scanBytes(content, { ...options, ...pieces })).toEqual(scanned);
      const { good, bad } = placesOf(scanned);
      for (const { bytes } of good) {
        expect(isUtf8(bytes)).toBe(true);
        expect(readRfc4180(bytes.toString())?.map((fields) => fields.length)).toEqual([2]);
        expect(bytes.length).toBeLessThanOrEqual(maxRecordBytes);
      }
      for (const { offset, length, code } of bad) {
        const bytes = content.subarray(offset, offset + length);
        if (code === 'BAD_ENCODING') expect(isUtf8(bytes)).toBe(false);
        else if (code === 'TOO_LONG') expect(length).toBeGreaterThan(maxRecordBytes);
        else {
          const read = readRfc4180(bytes.toString());
          expect(read?.length === 1 && read[0]!.length === 2).toBe(false);
        }
      }
      // A valid file has no bad record.
      // (An empty quoted field alone reads like a blank line, which is no record.)
      const isPlain = isUtf8(body) && !/(^|[\r\n])""([\r\n]|$)/.test(body.toString());
      const whole = maxRecordBytes > 40 && isPlain ? readRfc4180(body.toString()) : undefined;
      const rows = whole?.filter((fields) => fields.length > 1 || fields[0] !== '');
      if (rows?.every((fields) => fields.length === 2)) {
        expect(bad).toEqual([]);
        expect(good.map(({ bytes }) => readRfc4180(bytes.toString())![0])).toEqual(rows);
      }
    }),
    { numRuns: 600 },
  );
});

test('for any lines: each is good or bad', async () => {
  await fc.assert(
    fc.asyncProperty(soups, how, fc.constantFrom(12, 40, 1 << 20), async (body, pieces, maxRecordBytes) => {
      const content = Buffer.concat([Buffer.from('{}\n'), body]);
      const options = { kind: 'jsonl' as const, limits: { maxRecordBytes }, chunkSize: tinyChunks };
      const scanned = await scanBytes(content, options);
      checkAccount(content, scanned, 0);
      expect(await scanBytes(content, { ...options, ...pieces })).toEqual(scanned);
      const lines = content
        .toString('latin1')
        .split(/\r\n|\n|\r/)
        .filter((line) => /[^ \t]/.test(line));
      expect(
        placesOf(scanned).all.map(({ offset, length }) =>
          content.toString('latin1', offset, offset + length),
        ),
      ).toEqual(lines);
    }),
    { numRuns: 200 },
  );
});
