import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUtf8 } from 'node:buffer';
import { findBadUtf8, guessEncoding } from '../../../shared/formats/tabular/bytes/encodings.ts';
import { scanBytes, textsOf } from '../../support/tabular/scan-bytes.ts';

describe('UTF-8', () => {
  test('a byte order mark is not part of a name, but counts in positions', async () => {
    const { shape, chunks, totals } = await scanBytes('\ufeff"a",b\n1,2\n');
    expect(shape).toMatchObject({ header: ['a', 'b'] });
    expect(chunks[0]!.records).toEqual([{ row: 1, offset: 9, length: 3 }]);
    expect(totals.bytes).toBe(13);
  });

  test('quarantines an undecodable record with its offset, shown as Latin-1', async () => {
    const rows = [
      '1,Köln',
      Buffer.from('2,K\xf6ln', 'latin1'),
      '3,Köln',
      Buffer.from('4,\xed\xa0\x80', 'latin1'),
    ];
    const text = Buffer.concat(
      ['a,b', ...rows].map((row) => Buffer.concat([Buffer.from(row as string), Buffer.from('\n')])),
    );
    const scanned = await scanBytes(text);
    expect(textsOf(scanned)).toEqual(['1,Köln', '3,Köln']);
    expect(scanned.bad).toMatchObject([
      {
        row: 2,
        code: 'BAD_ENCODING',
        raw: '2,Köln',
        isLatin1: true,
        reason:
          'The record is not UTF-8: byte 4 (f6 6c 6e) does not start a character; it reads as Windows-1252 (Latin-1): “2,Köln”.',
      },
      {
        row: 4,
        code: 'BAD_ENCODING',
        raw: '4,\xed\xa0\x80',
        isLatin1: true,
        reason: expect.stringContaining('damaged'),
      },
    ]);
  });

  test('refuses a file in another encoding with the remedy', async () => {
    const text = Buffer.from(`a,b\n${'1,Müller\n'.repeat(5)}${'1,Maier\n'.repeat(95)}`, 'latin1');
    const { totals } = await scanBytes(text);
    expect(totals).toMatchObject({ records: 100, badRows: 5 });
    expect(totals.notes).toEqual([
      expect.stringMatching(/^5 of 100 records.*Windows-1252.*iconv -f WINDOWS-1252 -t UTF-8/),
    ]);
    expect((await scanBytes(`a,b\n${'1,Müller\n'.repeat(100)}`)).totals.notes).toEqual([]);
  });

  test('finds the first invalid byte where Node does', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom(
          '\xe0\x9f\xbf',
          '\xe0\xa0\x80',
          '\xed\x9f\xbf',
          '\xed\xa0\x80',
          '\xf0\x8f\xbf\xbf',
          '\xf0\x90\x80\x80',
          '\xf4\x8f\xbf\xbf',
          '\xf4\x90\x80\x80',
          '\xc1\xbf',
          '\xc2\x80',
          '\xf5',
          'a',
        )
        .map((text) => Buffer.from(text, 'latin1')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const bytes = Buffer.concat(pieces);
        const at = findBadUtf8(bytes);
        expect(at === -1).toBe(isUtf8(bytes));
        if (at >= 0) expect(isUtf8(bytes.subarray(0, at))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('guesses the encoding', () => {
    expect(guessEncoding(Buffer.from('M\xfcller, \x80 5', 'latin1'))).toBe('windows-1252');
    expect(guessEncoding(Buffer.from('東京').subarray(0, 5))).toBe('damaged');
  });
});

describe('UTF-16', () => {
  const swap = (bytes: Buffer) => Buffer.from(bytes).swap16();
  const text = '\ufeffname,b\r\nKöln,1\r\n東京 🛩,2\r\nragged\r\n"a\r\nb",ü\n🛩🛩\n🛩,🛩';

  test.each([
    ['little endian', (bytes: Buffer) => bytes],
    ['big endian', swap],
  ])('reads %s, with positions in the file', async (_, arrange) => {
    const little = Buffer.from(text, 'utf16le');
    const bytes = arrange(little);
    for (const blocks of [[1], [2], [3, 5], [1000]]) {
      const scanned = await scanBytes(bytes, { blocks });
      expect(scanned.shape).toMatchObject({ header: ['name', 'b'] });
      expect(scanned.notes).toEqual([expect.stringContaining('UTF-16')]);
      const show = (offset: number, length: number) => little.toString('utf16le', offset, offset + length);
      const good = ['Köln,1', '東京 🛩,2', '"a\r\nb",ü', '🛩,🛩'];
      expect(scanned.chunks.map(({ content }) => content.toString()).join('')).toBe(`${good.join('\n')}\n`);
      expect(scanned.chunks[0]!.records.map(({ offset, length }) => show(offset, length))).toEqual(good);
      expect(scanned.bad.map(({ byteOffset, byteLength }) => show(byteOffset, byteLength))).toEqual([
        'ragged',
        '🛩🛩',
      ]);
      expect(scanned.totals).toMatchObject({ records: 6, badRows: 2, bytes: bytes.length });
    }
  });

  test('a lone surrogate, and half a unit at the end, are badly encoded', async () => {
    const units = Buffer.concat([
      Buffer.from('\ufeffa,b\n1,\ud83d\n2,\udee9x\n3,\ud83d\ud83d\udee9\n4,x\n5,y', 'utf16le'),
      Buffer.of(0x41),
    ]);
    for (const blocks of [[1], [1000]]) {
      const { bad, chunks, totals } = await scanBytes(units, { blocks });
      expect(bad.map(({ row, code }) => [row, code])).toEqual(
        [1, 2, 3, 5].map((row) => [row, 'BAD_ENCODING']),
      );
      expect(chunks[0]!.content.toString()).toBe('4,x\n');
      expect(totals.bytes).toBe(units.length);
    }
  });
});
