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
    // Most records decide, not all.
    [',', `a,b,c\n1,2\n${'1,2,3\n'.repeat(50)}`],
    // The records decide, even for fewer columns.
    [';', 'a,b,c;d\n1;2\n3;4\n5;6,7\n'],
    // Nothing but the header.
    [';', 'a;b\n'],
    [',', 'a'],
  ])('%j', async (delimiter, text) => {
    expect(await shapeOf(text)).toMatchObject({ delimiter, notes: [] });
  });

  test('two that fit: more columns, then commas, and it says so', async () => {
    expect(await shapeOf('a,b|c,d\n1,2|3,4\n')).toMatchObject({
      delimiter: ',',
      notes: [expect.stringMatching(/commas \(3 columns\); pipes \(2 columns\) would fit as well/)],
    });
    expect(await shapeOf('a;b,c\n1;2,3\n')).toMatchObject({ delimiter: ',', notes: [/./] });
  });

  test('said by the name, the caller, or the first line', async () => {
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

  test.each(['"', 'x', '', ',,', '\n', 'é'])('%j cannot be one', async (delimiter) => {
    await expect(shapeOf('a,b\n', { delimiter })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('headers', () => {
  test('blanks around names are dropped, a column without a name is given one', async () => {
    expect(await shapeOf(' a ,"b ""c"", d",,column_4,\n1,2,3,4,5\n')).toMatchObject({
      header: ['a', 'b "c", d', 'column_3', 'column_4', 'column_5'],
      notes: [/Column 3 has no name/, /Column 5/],
    });
    expect(await shapeOf(',column_1\n1,2')).toMatchObject({ header: ['column_1_', 'column_1'] });
  });

  test('names of all kinds are names', async () => {
    const names = ['__proto__', 'constructor', '🛩', "it's", 'a"b', 'two\nlines'];
    const header = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',');
    expect(await shapeOf(`${header}\r\n1,2,3,4,5,6`)).toMatchObject({ header: names, rows: 1, bad: 0 });
  });

  test('a header alone has no records', async () => {
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
  ])('refused: %#', async (text, message) => {
    const refusal = shapeOf(text);
    await expect(refusal).rejects.toThrow(message);
    await expect(refusal).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
  });

  test('names that look like values are taken when they are said to be names', async () => {
    expect(await shapeOf('1,2\n3,4', { header: 'present' })).toMatchObject({ header: ['1', '2'], rows: 1 });
  });

  test('names can be given for a file that has none', async () => {
    const scanned = await scanBytes('1,2\n3,4', { header: ['x', 'y'] });
    expect(scanned.shape).toMatchObject({ header: ['x', 'y'] });
    expect(textsOf(scanned)).toEqual(['1,2', '3,4']);
    await expect(scanBytes('1,2', { header: ['x', 'X'] })).rejects.toThrow(/equal ignoring case/);
  });

  test('10,000 columns are fine; more than the limit are not', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',');
    const row = Array.from({ length: 10_000 }, (_, i) => i % 10).join(',');
    expect(await shapeOf(`${names}\n${row}\n${row},1\n${row}`)).toMatchObject({ rows: 3, bad: 1 });
    await expect(shapeOf(names, { limits: { maxColumns: 9_999 } })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringMatching(/10000 columns.*9999 \(maxColumns\)/) as string,
    });
  });
});
