import { describe, expect, test } from 'vitest';
import type { AppError } from '../../../shared/core/errors.ts';
import { packRows, packRowsInSlices } from '../../../shared/domains/serving/pack-rows.ts';
import { signatureSchema, type Signature } from '../../../shared/domains/serving/signature.ts';

const signature: Signature = {
  columns: [
    { name: 'date', type: 'timestamp' },
    { name: 'distance', type: 'number' },
    { name: 'origin', type: 'string' },
    { name: 'stops', type: 'integer' },
    { name: 'isNight', type: 'boolean' },
  ],
  inputs: [
    { name: 'date.hourOfDay', tensor: 'int64', column: 'date', part: 'hourOfDay' },
    { name: 'date.month', tensor: 'float32', column: 'date', part: 'month' },
    { name: 'distance', tensor: 'float32', column: 'distance' },
    { name: 'origin', tensor: 'string', column: 'origin' },
    { name: 'stops', tensor: 'string', column: 'stops' },
    { name: 'stops.number', tensor: 'int64', column: 'stops' },
    { name: 'isNight', tensor: 'string', column: 'isNight' },
    { name: 'isNight.number', tensor: 'float32', column: 'isNight' },
  ],
};
const row = { date: '2001-07-04T18:30:00Z', distance: 1846.1, origin: 'ORD', stops: 2, isNight: false };
const pack = (rows: unknown, maxRows = 100) => packRows(signature, rows, { maxRows });
const data = (rows: unknown) => Object.fromEntries(pack(rows).columns.map((c) => [c.name, [...c.data]]));

test('rows become the inputs of the model', () => {
  expect(data([row, { ...row, date: '2001-12-31', isNight: true, stops: -0 }])).toEqual({
    'date.hourOfDay': [18n, 0n],
    'date.month': [7, 12],
    distance: [Math.fround(1846.1), Math.fround(1846.1)],
    origin: ['ORD', 'ORD'],
    stops: ['2', '0'],
    'stops.number': [2n, 0n],
    isNight: ['false', 'true'],
    'isNight.number': [0, 1],
  });
});

test('reads null as a missing value', () => {
  const missing = data([{ ...row, date: null, distance: null, origin: null, isNight: null }]);
  expect(missing).toMatchObject({
    'date.hourOfDay': [-1n],
    'date.month': [NaN],
    distance: [NaN],
    origin: [''],
    isNight: [''],
    'isNight.number': [NaN],
  });
  expect(() => pack([{ ...row, stops: null }])).toThrow(/column "stops" may not be null/);
});

describe('errors name row and column', () => {
  test.each([
    ['date', 'yesterday', /ISO 8601 .* not "yesterday"/],
    ['date', '2001-02-30', /ISO 8601/],
    ['date', 994271400000, /ISO 8601/],
    ['distance', '1846', /must be a number or null, not "1846"/],
    ['distance', NaN, /finite number within float32, not NaN/],
    ['distance', Infinity, /finite/],
    ['distance', 1e39, /float32/],
    ['distance', true, /not true/],
    ['distance', [1], /not a list/],
    ['distance', { a: 1 }, /not an object/],
    ['origin', 5, /must be a text or null, not 5/],
    ['origin', 'O\u0000RD', /must not contain U\+0000/],
    ['origin', 'O\ud800', /must not contain half of a surrogate pair/],
    ['stops', 2.5, /whole number/],
    ['stops', 2 ** 53, /whole number/],
    ['isNight', 'no', /true, false or null, not "no"/],
    ['origin', undefined, /is missing/],
  ])('%s = %j', (column, value, problem) => {
    expect(() => pack([row, { ...row, [column]: value }])).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(new RegExp(`^Row 1, column "${column}" .*${problem.source}`)),
        details: { problems: [{ row: 1, column, problem: expect.stringMatching(problem) }] },
      }),
    );
  });

  test('an unknown column', () => {
    expect(() => pack([{ ...row, delay: 3 }])).toThrow(
      /Row 0, column "delay" is not a column of this model \(date, distance, origin, stops, isNight\)/,
    );
  });

  test('an inherited column is missing', () => {
    expect(() => pack([Object.create(row)])).toThrow(/Row 0, column "date" is missing \(and 4 more\)/);
    const strange: Signature = {
      columns: [{ name: 'constructor', type: 'string' }],
      inputs: [{ name: 'x', tensor: 'string', column: 'constructor' }],
    };
    expect(() => packRows(strange, [{}], { maxRows: 1 })).toThrow(/"constructor" is missing/);
  });

  test.each([['text'], [null], [[1]], [5]])('a row that is %j', (value) => {
    expect(() => pack([row, value])).toThrow(/^Row 1 must be an object, not /);
  });

  test('lists the first ten problems and cuts long values', () => {
    const rows = Array.from({ length: 50 }, () => ({ ...row, date: 'x'.repeat(1000) }));
    let thrown: unknown;
    try {
      pack(rows);
    } catch (error) {
      thrown = error;
    }
    const { problems } = (thrown as { details: { problems: { row: number; problem: string }[] } }).details;
    expect(problems.map((problem) => problem.row)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(problems[0]?.problem.length).toBeLessThan(200);
  });

  test('refuses too many rows, and an empty list', () => {
    expect(() => pack([row, row, row], 2)).toThrow(
      expect.objectContaining({
        code: 'PAYLOAD_TOO_LARGE',
        message: 'There are 3 rows; one request may have 2.',
      }),
    );
    for (const rows of [[], {}, null, 'rows'])
      expect(() => pack(rows)).toThrow(/must be a list of at least one object/);
  });
});

test.each<[string, unknown]>([
  ['two columns of the same name', { ...signature, columns: [...signature.columns, signature.columns[0]] }],
  ['two inputs of the same name', { ...signature, inputs: [...signature.inputs, signature.inputs[0]] }],
  ['an absent column', { ...signature, inputs: [{ name: 'x', tensor: 'string', column: 'gone' }] }],
  ['a text as a number', { ...signature, inputs: [{ name: 'x', tensor: 'float32', column: 'origin' }] }],
  [
    'a part of a text',
    { ...signature, inputs: [{ name: 'x', tensor: 'int64', column: 'origin', part: 'month' }] },
  ],
  ['a whole timestamp', { ...signature, inputs: [{ name: 'x', tensor: 'int64', column: 'date' }] }],
])('a signature with %s is refused', (_, value) => {
  expect(signatureSchema.safeParse(signature).success).toBe(true);
  expect(signatureSchema.safeParse(value).success).toBe(false);
});

test('packing in slices equals packing in one go, and yields to the event loop', async () => {
  const rows = Array.from({ length: 5_001 }, (_, i) => ({ ...row, distance: i }));
  let turns = 0;
  let ticking = setImmediate(function tick() {
    turns += 1;
    ticking = setImmediate(tick);
  });
  try {
    const packed = await packRowsInSlices(signature, rows, { maxRows: 6_000 });
    expect(packed).toEqual(packRows(signature, rows, { maxRows: 6_000 }));
    expect(turns).toBeGreaterThanOrEqual(10);
  } finally {
    clearImmediate(ticking);
  }
  rows[4_500] = { ...row, distance: 'far' as unknown as number };
  await expect(packRowsInSlices(signature, rows, { maxRows: 6_000 })).rejects.toThrow(
    /Row 4500, column "distance"/,
  );
});

test('keeps the answer short for a row with a hundred thousand unknown columns', () => {
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`c${i}`, 0]));
  const long = 'x'.repeat(100_000);
  expect(problemsOf({ ...row, ...wide })).toHaveLength(10);
  expect(JSON.stringify(problemsOf({ ...row, [long]: 0 })).length).toBeLessThan(400);
});

function problemsOf(record: object): readonly unknown[] {
  try {
    packRows(signature, [record], { maxRows: 1 });
  } catch (error) {
    return (error as AppError).details['problems'] as readonly unknown[];
  }
  return [];
}
