import { describe, expect, test } from 'vitest';
import { scanBytes, textsOf } from '../../support/tabular/scan-bytes.ts';

async function shapeOf(text: string | Buffer, options: Parameters<typeof scanBytes>[1] = {}) {
  const { shape, notes, totals } = await scanBytes(text, options);
  return { ...shape, notes, rows: totals.records, bad: totals.badRows };
}

describe('delimiters', () => {
  test.each([
    [',', 'a,b;c,d\n1,2;x;y,3\n'],
    [';', 'a;b;c\n1,5;2,5;3\n4,5;5;6,5\n'],
    ['\t', 'a\tb\n1, 2\t3\n'],
    ['|', 'a|b\n1|2\n'],
    // Within quotes they are text.
    [';', '"a,b,c";"d,e"\n"1,2,3";4\n'],
    [',', 'a,b\n"1;2;3",4\n"5;6",7\n'],
    // The majority of records decides.
    [',', `a,b,c\n1,2\n${'1,2,3\n'.repeat(50)}`],
    // The records decide, even for fewer columns.
    [';', 'a,b,c;d\n1;2\n3;4\n5;6,7\n'],
    // Only the header.
    [';', 'a;b\n'],
    [',', 'a'],
  ])('%j', async (delimiter, text) => {
    expect(await shapeOf(text)).toMatchObject({ delimiter, notes: [] });
  });

  test('of two that fit, more columns win, then commas, with a note', async () => {
    expect(await shapeOf('a,b|c,d\n1,2|3,4\n')).toMatchObject({
      delimiter: ',',
      notes: [expect.stringMatching(/commas \(3 columns\); pipes \(2 columns\) would fit as well/)],
    });
    expect(await shapeOf('a;b,c\n1;2,3\n')).toMatchObject({ delimiter: ',', notes: [/./] });
  });

  test('come from the name, the caller, or the first line', async () => {
    expect(await shapeOf('a,b\tc\n1,2\t3', { kind: 'tsv' })).toMatchObject({
      delimiter: '\t',
      header: ['a,b', 'c'],
    });
    expect(await shapeOf('a,b|c\n1,2|3', { delimiter: '|' })).toMatchObject({ header: ['a,b', 'c'] });
    expect(await shapeOf('sep=|\r\na,b|c\n1,2|3')).toMatchObject({
      delimiter: '|',
      header: ['a,b', 'c'],
      rows: 1,
    });
  });

  test.each(['"', 'x', '', ',,', '\n', 'é'])('refuses %j', async (delimiter) => {
    await expect(shapeOf('a,b\n', { delimiter })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('headers', () => {
  test('trims names, and names unnamed columns', async () => {
    expect(await shapeOf(' a ,"b ""c"", d",,column_4,\n1,2,3,4,5\n')).toMatchObject({
      header: ['a', 'b "c", d', 'column_3', 'column_4', 'column_5'],
      notes: [/Column 3 has no name/, /Column 5/],
    });
    expect(await shapeOf(',column_1\n1,2')).toMatchObject({ header: ['column_1_', 'column_1'] });
  });

  test('accept names of all kinds', async () => {
    const names = ['__proto__', 'constructor', '🛩', "it's", 'a"b', 'two\nlines'];
    const header = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',');
    expect(await shapeOf(`${header}\r\n1,2,3,4,5,6`)).toMatchObject({ header: names, rows: 1, bad: 0 });
  });

  test('alone give no records', async () => {
    for (const text of ['a,b', 'a,b\n', '\n\na,b\r\n\r\n']) {
      expect(await shapeOf(text)).toMatchObject({ header: ['a', 'b'], rows: 0 });
    }
  });

  test.each([
    ['', /empty/],
    ['\ufeff', /empty/],
    ['\n\r\n\r', /empty/],
    ['a,b,a\n', /"a" twice: columns 1 and 3/],
    ['a,Name,NAME\n', /"Name" \(column 2\) and "NAME" \(column 3\)/],
    ['straße,STRASSE,Straße', /"straße" \(column 1\) and "Straße"/],
    ['1,2.5,2024-01-01\n2,3,2024-01-02\n', /seems to be missing.*line of column names/],
    ['true,-1e5,01/02/2024\n', /seems to be missing/],
    ['a,"b\nc,d\n', /header has invalid quotes: a,"b/],
    ['a,b"c\n', /header has invalid quotes/],
    [
      Buffer.from('a,K\xf6ln\n1,2\n', 'latin1'),
      /header is not UTF-8.*Windows-1252.*Köln.*Save the file as UTF-8/,
    ],
    [`"${'x'.repeat(1_100_000)}"\n`, /does not end within the first \d+ bytes/],
  ])('are refused: %#', async (text, message) => {
    const refusal = shapeOf(text);
    await expect(refusal).rejects.toThrow(message);
    await expect(refusal).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
  });

  test('that look like values are accepted when declared as a header', async () => {
    expect(await shapeOf('1,2\n3,4', { header: 'present' })).toMatchObject({ header: ['1', '2'], rows: 1 });
  });

  test('can be given for a file without one', async () => {
    const scanned = await scanBytes('1,2\n3,4', { header: ['x', 'y'] });
    expect(scanned.shape).toMatchObject({ header: ['x', 'y'] });
    expect(textsOf(scanned)).toEqual(['1,2', '3,4']);
    await expect(scanBytes('1,2', { header: ['x', 'X'] })).rejects.toThrow(/equal ignoring case/);
  });

  test('have at most 10,000 columns', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',');
    const row = Array.from({ length: 10_000 }, (_, i) => i % 10).join(',');
    expect(await shapeOf(`${names}\n${row}\n${row},1\n${row}`)).toMatchObject({ rows: 3, bad: 1 });
    await expect(shapeOf(names, { limits: { maxColumns: 9_999 } })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringMatching(/10000 columns.*9999 \(maxColumns\)/) as string,
    });
  });
});
