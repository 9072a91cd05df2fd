import { describe, expect, test } from 'vitest';
import { inferSchema, mergeSurveys } from '../../../../shared/domains/datasets/schema/infer-schema.ts';
import { ColumnCounter } from '../../../../shared/domains/datasets/schema/survey-values.ts';
import { surveyTexts } from '../../../support/datasets/survey-texts.ts';

/** Type and note of a column that has each text as often as given, integer keys first. */
function infer(
  texts: Readonly<Record<string, number>>,
  tolerance = 0,
): readonly [string, string | undefined] {
  const all = Object.entries(texts).flatMap(([text, times]) => Array<string>(times).fill(text));
  const { type, note } = inferSchema([surveyTexts(all)], { tolerance })[0]!;
  return [type, note];
}

const nines = (count: number) => '9'.repeat(count);

describe('the type of a column', () => {
  test('is string without values, and nullable unless declared otherwise', () => {
    const surveys = [
      surveyTexts([null, null], 'none'),
      surveyTexts([], 'id'),
      surveyTexts(['1'], '__proto__'),
    ];
    const columns = inferSchema(surveys, { tolerance: 0.01, notNull: new Set(['id']) });
    expect(columns).toEqual([
      { name: 'none', type: 'string', nullable: true, note: 'The column has no values yet.' },
      { name: 'id', type: 'string', nullable: false, note: 'The column has no values yet.' },
      { name: '__proto__', type: 'int64', nullable: true },
    ]);
    expect(infer({ NA: 3 })).toEqual(['string', 'All values are null words such as "NA".']);
  });

  test.each<[Readonly<Record<string, number>>, number, string]>([
    // One value of a hundred is 1%.
    [{ x: 1, 5: 99 }, 0.01, 'int64'],
    [{ x: 1, 5: 98 }, 0.01, 'string'],
    [{ x: 2, 5: 198 }, 0.01, 'int64'],
    [{ x: 2, 5: 197 }, 0.01, 'string'],
    [{ x: 1, 5: 1 }, 0.5, 'int64'],
    [{ x: 1, '2024-01-01': 99 }, 0.01, 'date'],
    [{ x: 1, '2024-01-01': 98 }, 0.01, 'string'],
    [{ x: 1, true: 99 }, 0.01, 'boolean'],
    [{ x: 1, true: 98 }, 0.01, 'string'],
    // Null words are no values and do not raise the number of allowed misfits.
    [{ x: 1, 5: 98, NA: 1 }, 0.01, 'string'],
    [{ x: 1, '2024-01-01': 98, NaN: 1 }, 0.01, 'string'],
    [{ x: 1, true: 98, NaN: 1 }, 0.01, 'string'],
    [{ NaN: 5, '2024-01-01': 95 }, 0, 'date'],
    // Overflow is a misfit as well.
    [{ [nines(20)]: 1, 5: 99 }, 0.01, 'int64'],
    [{ [nines(20)]: 1, 5: 98 }, 0.01, 'decimal(38,0)'],
    [{ [nines(20)]: 1, 5: 98, NaN: 1 }, 0.01, 'decimal(38,0)'],
    // An id is an id, however rare.
    [{ '007': 1, 5: 9_999 }, 0.01, 'string'],
  ])('applies the tolerance: %j with %d is %s', (texts, tolerance, type) => {
    expect(infer(texts, tolerance)[0]).toBe(type);
  });

  test.each<[readonly string[], string]>([
    [['1', '-2'], 'int64'],
    [[nines(15), nines(18)], 'int64'],
    [['NaN'], 'double'],
    [['inf', '1'], 'double'],
    [['1', 'NaN'], 'int64'],
    [['1.5', 'NaN'], 'decimal(18,1)'],
    [['1', '.25'], 'decimal(18,2)'],
    [['0.000001', '999999999999'], 'decimal(18,6)'],
    [['0.000001', '1999999999999'], 'decimal(38,6)'],
    [[nines(17), '0.5'], 'decimal(18,1)'],
    [[nines(18), '0.5'], 'decimal(38,1)'],
    [[nines(37), '0.5'], 'decimal(38,1)'],
    [[nines(38), '0.5'], 'string'],
    [[nines(38)], 'decimal(38,0)'],
    [[nines(39)], 'string'],
    [['0.5', '1e3'], 'double'],
    [['1e3', nines(15)], 'double'],
    // A double would round it, and a decimal has no exponents.
    [['1e3', nines(16)], 'string'],
    [['2024-01-01', '2024-01-01T10:00'], 'timestamp'],
    [['2024-01-01T10:00:00Z', '2024-01-01T10:00:00+02:00'], 'timestamp'],
    [['2024-01-01', '5'], 'string'],
    [['true', '1'], 'string'],
  ])('is the narrowest for all values: %j are %s', (texts, type) => {
    expect(infer(Object.fromEntries(texts.map((text) => [text, 1])))[0]).toBe(type);
  });

  test('is that of most numbers when no type holds all of them', () => {
    expect(infer({ '0.5': 1, '1e3': 98, [nines(17)]: 1 }, 0.01)[0]).toBe('double');
    expect(infer({ '0.5': 98, '1e3': 1, [nines(17)]: 10 }, 0.01)[0]).toBe('decimal(18,1)');
    expect(infer({ '0.5': 90, '1e3': 9, [nines(17)]: 9 }, 0.01)).toEqual([
      'string',
      `No numeric type holds all values exactly: there are "${nines(17)}" and numbers with many decimal places or an exponent.`,
    ]);
    expect(infer({ [nines(17)]: 1, [nines(20)]: 1, '1e3': 1 })[1]).toContain(`"${nines(20)}"`);
  });
});

describe('a note', () => {
  test('is omitted for plain values', () => {
    for (const text of ['1', '0.5', '1e3', 'true', '2024-01-01', '2024-01-01T00:00:00Z', 'abc', '(1)'])
      expect(infer({ [text]: 3 })[1]).toBeUndefined();
    expect(infer({ '1e3': 3, NaN: 1 })[1]).toBeUndefined();
  });

  test.each<[Readonly<Record<string, number>>, string, string]>([
    [{ 5: 3, 'N/A': 1 }, 'int64', '"N/A" is read as null.'],
    [{ 5: 3, NaN: 1 }, 'int64', '"NaN" is read as null.'],
    [{ '1e3': 3, '': 1 }, 'double', '"" is read as null.'],
    [
      { '2024-01-01': 1, '2024-01-01 10:00': 1 },
      'timestamp',
      'Times without an offset are read as UTC: "2024-01-01 10:00". Dates without a time are read as midnight UTC: "2024-01-01".',
    ],
    [{ 5: 98, ' 7': 1, x: 1 }, 'int64', '2 of 100 values do not fit, such as "x" in row 100.'],
    [{ 5: 99, ' 7': 1 }, 'int64', '1 of 100 values do not fit, such as " 7" in row 100.'],
    [{ 5: 99, true: 1 }, 'int64', '1 of 100 values do not fit, such as "true" in row 100.'],
    [{ 5: 98, x: 1, [nines(20)]: 1 }, 'int64', '2 of 100 values do not fit, such as "x" in row 99.'],
    [{ 5: 99, [nines(20)]: 1 }, 'int64', `1 of 100 values do not fit, such as "${nines(20)}" in row 100.`],
    [{ true: 99, 'x"y': 1 }, 'boolean', String.raw`1 of 100 values do not fit, such as "x\"y" in row 100.`],
    [
      { NA: 1, '2024-01-01': 98, x: 1 },
      'date',
      '"NA" is read as null. 1 of 99 values do not fit, such as "x" in row 100.',
    ],
    [
      { '1e3': 97, x: 1, '007': 1 },
      'string',
      '"007" would lose its leading zeros as a number. 1 of 99 values are text, such as "x" in row 98.',
    ],
  ])('explains surprising types: %j', (texts, type, note) => {
    expect(infer(texts, 0.02)).toEqual([type, note]);
  });

  test.each<[readonly string[], string | undefined]>([
    [['007'], '"007" would lose its leading zeros as a number.'],
    [[' 5', '6 '], '" 5" has leading or trailing blanks.'],
    [['1', '2', 'x', '3'], '1 of 4 values are text, such as "x" in row 3.'],
    [['1', 'x', 'y'], undefined],
    [['1', 'x'], undefined],
    [['1', 'true'], 'The column has values of several types.'],
    [['1', 'true', '2024-01-01'], 'The column has values of several types.'],
    [['1.234,50', '2'], undefined],
    [['1.234,50'], '"1.234,50" has a decimal comma. Write numbers as 1234.50.'],
    [['0,5'], '"0,5" has a decimal comma. Write numbers as 1234.50.'],
    [['1,234,567'], '"1,234,567" has thousands separators. Write numbers as 1234.50.'],
    [['1,234.50'], '"1,234.50" has thousands separators. Write numbers as 1234.50.'],
    [
      ['12.5 %'],
      '"12.5 %" has a percent sign. Write 5% as 0.05, or as 5 in a column whose name says percent.',
    ],
    [
      ['€ 5'],
      '"€ 5" has a currency sign. Write amounts as 1234.50, and the currency in a column of its own.',
    ],
    [
      ['-1.50€'],
      '"-1.50€" has a currency sign. Write amounts as 1234.50, and the currency in a column of its own.',
    ],
    [['YES'], '"YES" may mean true or false. Write booleans as true and false.'],
    [['n'], '"n" may mean true or false. Write booleans as true and false.'],
    [
      ['2024-01-01T10:00:00.1234567Z'],
      '"2024-01-01T10:00:00.1234567Z" is more precise than a microsecond. Write at most six digits.',
    ],
  ])('explains why a column is string: %j', (texts, note) => {
    expect(inferSchema([surveyTexts(texts)], { tolerance: 0 })[0]).toEqual({
      name: 'c',
      type: 'string',
      nullable: true,
      ...(note === undefined ? {} : { note }),
    });
  });

  test.each<[readonly string[], string]>([
    [['01/02/2024'], '"01/02/2024" could have the day or the month first.'],
    [['01/02/2024', '13/02/2024'], 'Dates such as "01/02/2024" seem to have the day first.'],
    [['01/02/2024', '01/13/2024'], 'Dates such as "01/02/2024" seem to have the month first.'],
    [
      ['13/02/2024', '01/13/2024'],
      'Dates such as "13/02/2024" have the day first in some rows and the month first in others.',
    ],
  ])('does not guess the order of day and month: %j', (texts, says) => {
    const remedy = 'Write dates as 2024-02-01 for a column of dates.';
    const [first = '', ...rest] = texts;
    const merged = mergeSurveys([[surveyTexts([first])], [surveyTexts(rest)]]);
    for (const surveys of [[surveyTexts(texts)], merged])
      expect(inferSchema(surveys, { tolerance: 0.01 })[0]).toMatchObject({
        type: 'string',
        note: `${says} ${remedy}`,
      });
  });
});

describe('a survey', () => {
  test('counts values, and keeps the first of each kind, cut to 100 characters', () => {
    const counter = new ColumnCounter('c');
    counter.addNulls(2);
    counter.addNulls(3);
    counter.add('x'.repeat(150), 4);
    counter.add('y', 5);
    counter.add('-12.50', 6);
    // A JSON string that looks like a number is text; its digits are not counted.
    counter.addAs('text', '123456', 7);
    counter.addMany('boolean', 9);
    counter.addMany('date', 0);
    counter.widen({ integer: 1, scale: 1 });
    const found = counter.finish();
    expect(found).toEqual({
      name: 'c',
      values: 13,
      nulls: 5,
      counts: { text: 3, decimal: 1, boolean: 9 },
      examples: { text: { row: 4, text: 'x'.repeat(100) }, decimal: { row: 6, text: '-12.50' } },
      integerDigits: 2,
      scale: 2,
      dayFirst: 0,
      monthFirst: 0,
    });
    counter.add('z', 8);
    expect(found.counts.text).toBe(3);
  });

  test('of several chunks has the columns in the order in which they appeared', () => {
    const chunks = [
      [surveyTexts(['1'], 'b'), surveyTexts(['x', null], 'a')],
      [surveyTexts(['y'], 'a', 3), surveyTexts(['2'], '__proto__', 3)],
      [surveyTexts([null, '0.5'], 'b', 4)],
    ];
    const merged = mergeSurveys(chunks);
    expect(merged.map(({ name, values, nulls }) => [name, values, nulls])).toEqual([
      ['b', 2, 1],
      ['a', 2, 1],
      ['__proto__', 1, 0],
    ]);
    expect(merged[1]!.examples).toEqual({ text: { row: 1, text: 'x' } });
    expect(mergeSurveys([])).toEqual([]);
  });
});
