import { describe, expect, test } from 'vitest';
import type { ColumnType } from '../../../../shared/domains/datasets/schema/column.ts';
import {
  classify,
  fits,
  measureDigits,
  nullWords,
  nullWordsOf,
  readDayMonth,
} from '../../../../shared/domains/datasets/schema/strict-types.ts';
import type { ValueKind } from '../../../../shared/domains/datasets/schema/survey.ts';

const nines = (count: number) => '9'.repeat(count);

/** Texts on both sides of each rule. test/property compares the two engines. */
const accepted: Readonly<Partial<Record<ColumnType, readonly string[]>>> = {
  int64: ['0', '7', '-12', '9223372036854775807', '-9223372036854775808', nines(18)],
  double: [
    ['0', '-0', '0.5', '.5', '-.5', '1.0', '1e3', '1E+3', '1.5e-300', '-12.25', '0e0', '.5e1', '1e-400'],
    [nines(15), `${nines(15)}000000`, `1${'0'.repeat(22)}`, '12345678901234567890.5'],
    ['NaN', 'nan', 'NAN'],
    ['inf', 'Inf', 'INF', 'Infinity', 'infinity', '-inf', '-Inf', '-INF', '-Infinity', '-infinity'],
  ].flat(),
  'decimal(5,2)': ['0', '-0', '999', '999.99', '-999.99', '.5', '-.05', '0.5', '1.100000', '999.990000'],
  'decimal(5,0)': ['0', '99999', '-99999', '99999.0', '1.000000'],
  'decimal(2,2)': ['0', '0.99', '-.99', '0.00'],
  'decimal(38,0)': [nines(38), `-${nines(38)}`],
  boolean: ['true', 'false', 'TRUE', 'False', 'tRuE'],
  date: ['2024-02-29', '0001-01-01', '9999-12-31', '2000-02-29', '1600-02-29', '1582-10-10', '2023-04-30'],
  timestamp: [
    ['2024-02-29', '2024-02-29T12:30', '2024-02-29 12:30', '2024-02-29T12:30:00', '2024-02-29 23:59:59'],
    ['2024-02-29T12:30:00Z', '2024-02-29T12:30:00+02', '2024-02-29T12:30:00+0230'],
    ['2024-02-29T12:30:00-02:30', '2024-02-29T12:30:00+14:00', '2024-02-29T12:30:00.1-14:59'],
    ['2024-02-29T12:30:00.123456Z', '2024-02-29T12:30:00.123456000Z', '2024-02-29T12:30:00.000000000'],
    ['0001-01-01T01:00:00+01', '0001-01-01T00:30:00+00:30', '9999-12-31T22:59:59.999999-01'],
    ['0001-01-01', '9999-12-31T23:59:59.999999Z', '9999-12-31T23:29:59-0030', '0001-01-01T00:00:00-05'],
  ].flat(),
};
const refused: Readonly<Partial<Record<ColumnType, readonly string[]>>> = {
  int64: [
    ['', '-', '-0', '+1', '00', '007', '-07', '1.0', '1e3', '1_000', '1,000', ' 1', '1 ', '1\n', '0x10'],
    ['9223372036854775808', '-9223372036854775809', nines(19), `1${nines(18)}0`, '٣', '１', 'NaN', 'true'],
  ].flat(),
  double: [
    ['', '-', '.', '5.', '+1', '+1.5', '01'],
    ['007.5', '1e', '1e400', '-1e400', '1.5.5', '1,5', '0x1p3', '1d'],
    [nines(16), `${nines(16)}0`, '9007199254740993', '9223372036854775807'],
    ['-NaN', 'NaNs', '+inf', 'iNF', 'infin', '--inf', 'true', '\n1.5', '1.5\n'],
  ].flat(),
  'decimal(5,2)': [
    '',
    '1000',
    '999.995',
    '0.001',
    '1e2',
    '5.',
    '.',
    '01.5',
    '+1',
    '1,5',
    'NaN',
    'inf',
    '1.5 ',
  ],
  'decimal(5,0)': ['100000', '1.5', '1.05', '1.', '01'],
  'decimal(2,2)': ['1', '1.00', '0.995'],
  'decimal(38,0)': [nines(39), '0.5'],
  boolean: ['', '0', '1', 't', 'f', 'yes', 'no', 'on', 'truee', ' true', 'true\n', 'ｔrue'],
  date: [
    ['', '2023-02-29', '1900-02-29', '2100-02-29', '3000-02-29', '2024-02-30', '2023-04-31', '2024-13-01'],
    ['2024-00-10', '2024-01-00', '2024-01-32', '0000-01-01', '10000-01-01', '-2024-01-01', '+2024-01-01'],
    ['2024-2-29', '24-02-29', '2024/02/29'],
    ['20240229', '29.02.2024', '2024-02-29T00:00:00', ' 2024-02-29'],
    ['2024-02-29\n', 'infinity', 'epoch', 'today', '2024-02-29 (BC)', '2024-W09-4', '2024-060'],
  ].flat(),
  timestamp: [
    ['', '2024-02-29T', '2024-02-29T12', '2024-02-29t12:30', '2024-02-29  12:30', '2024-02-29T24:00:00'],
    ['2024-02-29T12:60', '2024-02-29T12:30:60', '2024-02-29T12:30Z', '2024-02-29T12:30+02', '2024-02-29Z'],
    ['2024-02-29T12:30:00z', '2024-02-29T12:30:00 Z', '2024-02-29T12:30:00 UTC', '2024-02-29T12:30:00+2'],
    ['2024-02-29T12:30:00+15:00', '2024-02-29T12:30:00+14:60'],
    ['2024-02-29T12:30:00+02:', '2024-02-29T1:30:00'],
    ['2024-02-29T12:30:00.', '2024-02-29T12:30:00,5'],
    ['2024-02-29T12:30:00.1234567', '2023-02-29T12:30:00'],
    ['2024-02-29T12:30:00.0000000000', '0001-01-01T00:00:00+01', '0001-01-01T00:29:59+00:30'],
    ['9999-12-31T23:00:00-01', '9999-12-31T23:30:00-0030', '0000-12-31T23:59:59-01', '1709210000', 'now'],
  ].flat(),
  binary: ['', 'abc', '0', '\\x00'],
};

const listed = (table: typeof accepted) => Object.entries(table) as [ColumnType, readonly string[]][];

describe('a column', () => {
  test.each(listed(accepted))('of %s accepts valid texts', (type, texts) => {
    expect(texts.filter((text) => !fits(type, text))).toEqual([]);
  });

  test.each(listed(refused))('of %s accepts nothing else', (type, texts) => {
    expect(texts.filter((text) => fits(type, text))).toEqual([]);
  });

  test('of strings accepts every text unchanged, null words included', () => {
    for (const text of ['', ' ', 'NA', 'null', '\0', '🛩', 'x'.repeat(1_000_000)])
      expect(fits('string', text)).toBe(true);
    expect(nullWordsOf('string')).toEqual([]);
  });
});

/** The narrowest kind of a text, which decides the type of its column. */
const kinds: Readonly<Record<ValueKind, readonly string[]>> = {
  integer: ['0', '-12', nines(15), `-${nines(15)}`],
  longInteger: [`1${'0'.repeat(15)}`, nines(18), '9223372036854775807', '-9223372036854775808'],
  bigInteger: ['9223372036854775808', '-9223372036854775809', nines(38), `-${nines(38)}`],
  decimal: ['0.5', '.5', '-.25', '12.50', '-0.000001', '1.000000', `${nines(32)}.${nines(6)}`],
  double: ['0.0000001', '1e3', '-1.5E-3', '-0', '0.30000000000000004', `${nines(33)}.${nines(6)}`, '1e-400'],
  nan: ['NaN', 'nan', 'NAN'],
  infinite: ['inf', 'INF', 'Infinity', '-inf', '-Infinity'],
  boolean: ['true', 'FALSE', 'True'],
  date: ['2024-02-29', '0001-01-01', '9999-12-31'],
  timestamp: ['2024-02-29T12:30:00Z', '2024-02-29 12:30:00+02', '2024-02-29 12:30:00.5-0230'],
  local: ['2024-02-29T12:30', '2024-02-29 12:30:00', '2024-02-29 12:30:00.123456', '2024-02-03T10:00'],
  nullWord: ['', 'NA', 'N/A', 'n/a', '#N/A', '<NA>', 'NULL', 'Null', 'null', 'None', 'NaT', '\\N'],
  leadingZero: ['007', '-007', '00', '00.5', '0049123456789', '-01.5'],
  padded: [' 5', '5 ', '\t2024-02-29', 'true ', ' NA', '007 ', ' 01/02/2024', '\u00a05', ' -5'],
  dayMonth: [
    '01/02/2024',
    '1/2/24',
    '29.02.2024',
    '1-2-2024',
    '12/31/99',
    '01/02/2024 10:00',
    '1.2.2024, 9h',
  ],
  text: [
    ['abc', ' ', '\t\n', ' abc ', '-', '.'],
    ['5.', '1e400', nines(39), `-${nines(39)}`, '1.2.3', '1/2-2024'],
    ['yes', 't', 'na', 'NONE', 'nul', 'nAn', '2023-02-29', '2024-02-30', '0000-01-01', '2023-02-29T10:00'],
    ['2024-02-29T12:30:00.1234567', '0001-01-01T00:00:00+01', '01/02/024', '123/02/2024', '0'.repeat(401)],
  ].flat(),
};

test.each(Object.entries(kinds))('a text is of one kind: %s', (kind, texts) => {
  expect(texts.map((text) => [text, classify(text)])).toEqual(texts.map((text) => [text, kind]));
});

test('numbers may have up to 400 characters', () => {
  expect([classify(`0.${'1'.repeat(398)}`), classify(`0.${'1'.repeat(399)}`)]).toEqual(['double', 'text']);
});

test('null words are those of R, pandas, SQL and spreadsheets; NaN is a number only in doubles', () => {
  expect([...nullWords].toSorted()).toEqual(kinds.nullWord.toSorted());
  expect(nullWordsOf('double')).toEqual([...nullWords]);
  for (const type of ['int64', 'decimal(18,2)', 'boolean', 'date', 'timestamp'] as const)
    expect(nullWordsOf(type)).toEqual([...nullWords, 'NaN', 'nan', 'NAN']);
});

test.each<[string, number, number]>([
  ['0', 0, 0],
  ['-0.50', 0, 2],
  ['.5', 0, 1],
  ['-12', 2, 0],
  ['100.250', 3, 3],
  [nines(38), 38, 0],
])('%s has %i digits before and %i after the point', (text, integer, scale) => {
  expect(measureDigits(text)).toEqual({ integer, scale });
});

test.each([
  ['13/02/2024', 'dayFirst'],
  ['12/13/2024', 'monthFirst'],
  ['12/12/2024', 'either'],
  ['31.12.99 10:00', 'dayFirst'],
])('%s: %s', (text, order) => {
  expect(readDayMonth(text)).toBe(order);
});
