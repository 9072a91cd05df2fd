import { describe, expect, test } from 'vitest';
import { scanBytes, textsOf } from '../../support/tabular/scan-bytes.ts';

/** The records of a CSV of three columns. */
async function scan(text: string | Buffer, options: Parameters<typeof scanBytes>[1] = {}) {
  const scanned = await scanBytes(text, options);
  const bad = scanned.bad.map(({ row, code, raw }) => [row, code, raw]);
  return { good: textsOf(scanned), bad, ...scanned.totals };
}

const header = 'a,b,c\n';

describe('records', () => {
  test.each([
    ['line feeds', '1,2,3\n4,5,6\n'],
    ['carriage returns and line feeds', '1,2,3\r\n4,5,6\r\n'],
    ['carriage returns alone', '1,2,3\r4,5,6\r'],
    ['all of them', '1,2,3\r4,5,6\r\n'],
    ['no last line end', '1,2,3\n4,5,6'],
    ['a last carriage return', '1,2,3\n4,5,6\r'],
    ['blank lines, which count nowhere', '\n\r\n1,2,3\n\n\r\r\n4,5,6\n\n'],
  ])('%s', async (_, text) => {
    for (const blocks of [[1], [2], [3], [1000]]) {
      const found = await scan(header + text, { blocks });
      expect(found).toMatchObject({ good: ['1,2,3', '4,5,6'], bad: [], records: 2, bytes: 6 + text.length });
    }
  });

  test('may have delimiters, line ends and quotes within quotes, which are kept', async () => {
    const records = [
      '"1","a, b",""',
      '2,"say ""no""",3',
      '3,"two\r\nlines\n\rand more",""""',
      ',,',
      '4,a\0b,\0',
    ];
    for (const blocks of [[1], [5], [1000]]) {
      const found = await scan(header + records.join('\n') + '\n', { blocks });
      expect(found).toMatchObject({ good: records, bad: [] });
    }
  });

  test('have their fields counted at any offset and of any number', async () => {
    for (let columns = 1; columns < 40; columns += 1) {
      const names = Array.from({ length: columns }, (_, i) => `c${i}`).join(',');
      const rows = [0, 1, 2, 3, 7].map((width) =>
        Array.from({ length: columns }, () => 'x'.repeat(width)).join(','),
      );
      const kept = rows.filter((row) => row !== '');
      // Neighbours of the bytes searched for.
      const odd = Array.from({ length: columns }, () => '-!#\u0001+\u000b').join(',');
      const found = await scan([names, ...rows, odd, `${rows[2]},`].join('\n'));
      expect(found).toMatchObject({ good: [...kept, odd], records: kept.length + 2 });
      expect(found.bad).toEqual([[kept.length + 2, 'RAGGED_ROW', `${rows[2]},`]]);
    }
  });

  test('of one column: an empty quoted field is a record, an empty line is blank', async () => {
    expect(await scan('a\nx\n\n""\ny\n')).toMatchObject({ good: ['x', '""', 'y'], records: 3 });
  });
});

describe('bad records', () => {
  test.each([
    ['too few fields', '4,5', 'RAGGED_ROW'],
    ['too many', '4,5,6,7', 'RAGGED_ROW'],
    ['a quote within a field', '4,5" pipe,6', 'QUOTE_IN_FIELD'],
    ['a quote after a blank', '4, "5",6', 'QUOTE_IN_FIELD'],
    ['text after a quote', '4,"5"x,6', 'TEXT_AFTER_QUOTE'],
    ['blank after a quote', '4,"5" ,6', 'TEXT_AFTER_QUOTE'],
    ['an open quote', '4,5,"6', 'UNTERMINATED_QUOTE'],
    ['an open quote early', '"4,5,6', 'UNTERMINATED_QUOTE'],
    ['an open quote with doubled ones', '4,"5""",6""', 'QUOTE_IN_FIELD'],
    ['an open quote with a doubled one at the end', '4,5,"6""', 'UNTERMINATED_QUOTE'],
    ['blanks', '   ', 'RAGGED_ROW'],
  ])('%s', async (_, record, code) => {
    const before = Array.from({ length: 4 }, (__, i) => `1,2,${i}`);
    const after = Array.from({ length: 9 }, (__, i) => `7,8,${i}`);
    for (const end of ['\n', '\r\n', '\r']) {
      const text = ['a,b,c', ...before, record, ...after, ''].join(end);
      for (const blocks of [[1], [7], [1000]])
        expect(await scan(text, { blocks })).toMatchObject({
          good: [...before, ...after],
          bad: [[5, code, record]],
          records: 14,
          badRows: 1,
        });
    }
    // As the last record, without a line end.
    expect(await scan(header + [...before, record].join('\n'))).toMatchObject({
      good: before,
      bad: [[5, code, record]],
    });
  });

  test('have positions in bytes', async () => {
    const text = Buffer.from('\ufeffname,b\r\nKöln,1\r\n東京\r\n\r\n"Mála\nga",2,3\r\nx,4');
    const { bad, chunks } = await scanBytes(text);
    expect(
      bad.map(({ byteOffset, byteLength }) => text.toString('utf8', byteOffset, byteOffset + byteLength)),
    ).toEqual(['東京', '"Mála\nga",2,3']);
    expect(chunks[0]!.records).toEqual([
      { row: 1, offset: 11, length: 7 },
      { row: 4, offset: text.length - 3, length: 3 },
    ]);
  });

  test('have reasons that name the place and the remedy', async () => {
    const { bad } = await scanBytes('a,b\n1\n1,2,\n1,2,3\n"x"y,1\n');
    expect(bad.map(({ reason }) => reason)).toEqual([
      'The record has 1 field, the header has 2: fields are missing from “b” on.',
      'The record has 3 fields, the header has 2: it ends with a delimiter.',
      'The record has 3 fields, the header has 2: quote fields that contain ",".',
      'A field continues after its closing quote. Double the quotes inside of a field.',
    ]);
  });
});

describe('a stray quote', () => {
  const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i},x,y`);

  test('costs only its own line when records follow, with or without a later quote', async () => {
    const open = '0,"x,y';
    for (const end of ['9,"a, b",c', '9,a,""', '9,a,"b ""c"""']) {
      expect(await scan(header + [open, ...rows(1, 6), end, ...rows(10, 13)].join('\n'))).toMatchObject({
        good: [...rows(1, 6), end, ...rows(10, 13)],
        bad: [[1, 'UNTERMINATED_QUOTE', open]],
      });
    }
  });

  test('in a faulty text of several lines makes no line a record', async () => {
    const text = '0,"first line\nsecond line\nthird, and more" oops,y';
    expect(await scan(header + [text, ...rows(1, 6)].join('\n'))).toMatchObject({
      good: rows(1, 6),
      bad: [[1, 'TEXT_AFTER_QUOTE', text]],
    });
    const cutOff = '6,"a last text\nof two lines';
    expect(await scan(header + [...rows(1, 6), cutOff].join('\n'))).toMatchObject({
      good: rows(1, 6),
      bad: [[6, 'UNTERMINATED_QUOTE', cutOff]],
    });
  });

  test('in one column makes all that follows bad, up to 64 KiB', async () => {
    expect(await scan('a\n"b\nc\nd')).toMatchObject({
      good: [],
      bad: [[1, 'UNTERMINATED_QUOTE', '"b\nc\nd']],
    });
    const lines = Array.from({ length: 10_000 }, (_, i) => `line ${i}`);
    expect(await scan(['a', '"b', ...lines].join('\n'))).toMatchObject({
      good: lines,
      bad: [[1, 'UNTERMINATED_QUOTE', '"b']],
    });
  });

  test('does not consume a file larger than a record may be', async () => {
    const many = rows(1, 4000);
    const limits = { maxRecordBytes: 1000 };
    const text = header + ['0,"x,y', ...many].join('\n');
    for (const blocks of [[1000], [1e6]]) {
      expect(await scan(text, { limits, blocks })).toMatchObject({
        good: many,
        bad: [[1, 'UNTERMINATED_QUOTE', '0,"x,y']],
      });
    }
  });

  test('before a text longer than a record may be costs only the first line', async () => {
    const limits = { maxRecordBytes: 1000 };
    const lines = Array.from({ length: 300 }, (_, i) => `line ${i}`);
    const text = `${header}0,"${lines.join('\n')}",y\n1,x,y\n`;
    for (const windowBytes of [100, 1_000_000]) {
      const { good, bad } = await scan(text, { limits, windowBytes });
      expect(good).toEqual(['1,x,y']);
      expect(bad[0]).toEqual([1, 'UNTERMINATED_QUOTE', '0,"line 0']);
      expect(bad[1]).toEqual([2, 'RAGGED_ROW', 'line 1']);
      expect(bad).toHaveLength(300);
    }
  });

  test('on every line costs time linear in the file', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i},"x,y`);
    const { records, badRows } = await scan(header + lines.join('\n'));
    expect({ records, badRows }).toEqual({ records: 60_000, badRows: 60_000 });
  });
});

describe('records over the limit', () => {
  test('are bad, and cut in the report; the next one is complete', async () => {
    const long = `1,${'x'.repeat(3_000_000)},3`;
    const limits = { maxRecordBytes: 100_000 };
    for (const blocks of [[65_536], [1e9]]) {
      const { bad, chunks } = await scanBytes(`${header}0,0,0\n${long}\r\n4,5,6\n`, { limits, blocks });
      expect(bad).toHaveLength(1);
      expect(bad[0]).toMatchObject({
        row: 2,
        byteOffset: 12,
        byteLength: 3_000_004,
        code: 'TOO_LONG',
        isCut: true,
      });
      expect(bad[0]!.raw).toBe(long.slice(0, 65_536));
      expect(chunks[0]!.content.toString()).toBe('0,0,0\n4,5,6\n');
    }
  });

  test('may have exactly the limit, wherever windows end', async () => {
    const limits = { maxRecordBytes: 5000 };
    const fits = `1,${'x'.repeat(4996)},3`;
    const tooLong = `2,${'x'.repeat(4997)},3`;
    const quoted = `3,"${'x'.repeat(5000)}",3`;
    const text = header + [fits, tooLong, quoted, fits].join('\n');
    for (const blocks of [[100], [1e6]])
      expect(await scan(text, { limits, blocks })).toMatchObject({
        good: [fits, fits],
        bad: [
          [2, 'TOO_LONG', tooLong],
          [3, 'TOO_LONG', quoted],
        ],
      });
  });

  test('are cut between characters', async () => {
    const { bad } = await scanBytes(`a,b\n${'€'.repeat(30_000)}\n`);
    expect(bad[0]!.raw).toBe('€'.repeat(21_845));
  });
});
