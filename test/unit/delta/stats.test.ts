import { expect, test } from 'vitest';
import { type ColumnStats, buildStats } from '../../../shared/formats/delta/stats/stats.ts';

const bounds = (type: ColumnStats['type'], min: string, max: string) =>
  ['minValues', 'maxValues']
    .map((name) => {
      const stats = buildStats({ rows: 3, columns: [{ name: 'c', type, nulls: 0, min, max }] });
      return stats.match(new RegExp(`"${name}":(\\{.*?\\})(?=,"(?:maxValues|nullCount)")`, 's'))?.[1] ?? '{}';
    })
    .join(' ');

test.each<readonly [ColumnStats['type'], string, string, string]>([
  [
    'long',
    '-9223372036854775808',
    '9223372036854775807',
    '{"c":-9223372036854775808} {"c":9223372036854775807}',
  ],
  ['integer', '007', '+8', '{"c":7} {"c":8}'],
  ['decimal(38,10)', '-0.10', '.50', '{"c":-0.10} {"c":0.50}'],
  ['double', '-1e+20', '1.5E-7', '{"c":-1e+20} {"c":1.5e-7}'],
  ['double', '0.0', '-0.0', '{"c":-0.0} {"c":0.0}'],
  ['double', '1', 'inf', '{} {}'],
  ['double', '-Infinity', '1', '{} {}'],
  ['double', '1', 'nan', '{} {}'],
  ['boolean', 'false', 'true', '{} {}'],
  ['binary', '\\x00', '\\xFF', '{} {}'],
  ['date', '2026-01-02', '2026-12-31', '{"c":"2026-01-02"} {"c":"2026-12-31"}'],
  ['date', '0044-03-15 (BC)', '10000-01-01', '{} {}'],
  [
    'timestamp',
    '2026-01-02 03:04:05.123999+00',
    '2026-12-31 23:59:59.999001+00',
    '{"c":"2026-01-02T03:04:05.123Z"} {"c":"2027-01-01T00:00:00.000Z"}',
  ],
  [
    'timestamp',
    '1969-12-31T23:59:59.999999Z',
    '1969-12-31T23:59:59Z',
    '{"c":"1969-12-31T23:59:59.999Z"} {"c":"1969-12-31T23:59:59.000Z"}',
  ],
  ['timestamp', '2026-01-02 03:04:05+02', '9999-12-31 23:59:59.999001', '{} {}'],
  ['timestamp', '0001-01-01 00:00:00', 'infinity', '{} {}'],
  [
    'timestamp_ntz',
    '0001-01-01 00:00:00.5',
    '2026-01-02 00:00:00',
    '{"c":"0001-01-01T00:00:00.500"} {"c":"2026-01-02T00:00:00.000"}',
  ],
  ['string', 'a"\n\u0000', 'é', String.raw`{"c":"a\"\n\u0000"} {"c":"é"}`],
  ['string', 'a'.repeat(33), 'z'.repeat(33), `{"c":"${'a'.repeat(32)}"} {"c":"${'z'.repeat(31)}{"}`],
  ['string', '🎈'.repeat(32), '🎈'.repeat(33), `{"c":"${'🎈'.repeat(32)}"} {"c":"${'🎈'.repeat(31)}🎉"}`],
  ['string', '', '\ud7ff'.repeat(33), `{"c":""} {"c":"${'\ud7ff'.repeat(31)}\ue000"}`],
  ['string', '', `b${'\u{10ffff}'.repeat(40)}`, `{"c":""} {"c":"c"}`],
  ['string', '', '\u{10ffff}'.repeat(40), `{"c":""} {"c":"${'\u{10ffff}'.repeat(40)}"}`],
  ['string', '', '\u{10ffff}'.repeat(600), '{"c":""} {}'],
])('%s: %j to %j', (type, min, max, expected) => {
  expect(bounds(type, min, max)).toBe(expected);
});

test('covers the first 32 columns, with unchanged names', () => {
  const columns = Array.from({ length: 40 }, (_, index) => ({
    name: index === 0 ? '__proto__' : `c"${index}`,
    type: 'long' as const,
    nulls: index,
    ...(index === 1 ? {} : { min: '1', max: '2' }),
  }));
  const { numRecords, minValues, maxValues, nullCount } = JSON.parse(
    buildStats({ rows: 7, columns }),
  ) as Record<string, object>;
  expect(numRecords).toBe(7);
  expect(Object.keys(nullCount!)).toHaveLength(32);
  expect(Object.entries(nullCount!).at(-1)).toEqual(['c"31', 31]);
  expect(Object.keys(minValues!)).not.toContain('c"1');
  expect([Object.keys(minValues!).length, Object.keys(maxValues!).length]).toEqual([31, 31]);
  expect(Object.hasOwn(minValues!, '__proto__')).toBe(true);
});
