import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ColumnType } from '../../shared/domains/datasets/schema/column.ts';
import { classify, fits, nullWordsOf } from '../../shared/domains/datasets/schema/strict-types.ts';
import { findFault, isGood, valueOf } from '../../shared/adapters/duckdb/conversion/row-checks.ts';
import { planTypes, TypedTexts } from '../support/datasets/typed-texts.ts';

const types: readonly ColumnType[] = [
  'int64',
  'double',
  'decimal(18,2)',
  'decimal(38,10)',
  'decimal(5,0)',
  'boolean',
  'date',
  'timestamp',
];

const digits = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 })
  .map((all) => all.join(''));
const two = fc.integer({ min: 0, max: 99 }).map((value) => String(value).padStart(2, '0'));
const year = fc.oneof(
  fc.constantFrom('0000', '0001', '1582', '1900', '2000', '2023', '2024', '9999', '10000'),
  fc.integer({ min: 0, max: 9999 }).map((value) => String(value).padStart(4, '0')),
);
const month = fc.oneof(two, fc.constantFrom('00', '01', '02', '04', '12', '13'));
const dayOfMonth = fc.oneof(two, fc.constantFrom('00', '01', '28', '29', '30', '31', '32'));
const day = fc.tuple(year, month, dayOfMonth).map((parts) => parts.join('-'));
const zone = fc.oneof(
  fc.constantFrom('', 'Z', 'z', '+00', '-00:00', '+14:00', '-14:59', '+15:00', ' UTC', '+0530', '+5'),
  fc.tuple(fc.constantFrom('+', '-'), two, fc.constantFrom('', ':'), two).map((parts) => parts.join('')),
);
const time = fc
  .tuple(two, two, fc.option(two), fc.option(digits), zone)
  .map(([hour, minute, second, fraction, offset]) =>
    [
      hour,
      ':',
      minute,
      second === null ? '' : `:${second}`,
      fraction === null ? '' : `.${fraction}`,
      offset,
    ].join(''),
  );
const number = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.constantFrom('', '0', '00'),
    fc.option(digits),
    fc.option(digits),
    fc.option(
      fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '-', '+'), fc.integer({ min: 0, max: 400 })),
    ),
  )
  .map(([sign, zeros, whole, fraction, exponent]) =>
    [sign, zeros, whole ?? '', fraction === null ? '' : `.${fraction}`, exponent?.join('') ?? ''].join(''),
  );
/** Limits of types, and texts easily mistaken for them. */
const known = fc.constantFrom(
  '',
  '2024-02-29 24:00:00',
  ...`
    9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 -0 0 007 1e400
    -1e400 1e308 1e-400 999999999999999 9999999999999999 1000000000000000000000 NaN nan inf -Infinity
    infinity +inf true FALSE yes t 1 epoch today 999.99 99999 99999.0 100000 .5 5. 1_000 0x10 1,5 ٣ １
    2024-02-29 2023-02-29 0001-01-01T00:00:00+01 0001-01-01T01:00:00+01 9999-12-31T23:59:59-01
    9999-12-31T23:59:59.999999 2024-02-29T12:30 2024-02-29T12:30Z 2024-02-29T12:30:60 2024-01-01T
  `
    .trim()
    .split(/\s+/),
);
const plain = fc.oneof(
  { weight: 3, arbitrary: number },
  { weight: 2, arbitrary: day },
  {
    weight: 3,
    arbitrary: fc.tuple(day, fc.constantFrom('T', ' ', 't', '  '), time).map((parts) => parts.join('')),
  },
  { weight: 3, arbitrary: known },
  { weight: 1, arbitrary: fc.constantFrom(...nullWordsOf('int64')) },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
);
/** Some with an extra character. */
const text = fc
  .tuple(
    plain,
    fc.option(fc.tuple(fc.nat(30), fc.constantFrom(' ', '0', '-', '.', '\n', '\t', '_', 'Z')), { freq: 4 }),
  )
  .map(([of, change]) => (change === null ? of : of.slice(0, change[0]) + change[1] + of.slice(change[0])));

describe('the texts of a type', () => {
  let duckDb: TypedTexts;
  beforeAll(async () => {
    duckDb = await TypedTexts.open();
  });
  afterAll(() => duckDb[Symbol.dispose]());

  test.each(types)('%s: JavaScript and DuckDB agree on every text', async (type) => {
    const planned = planTypes([type]);
    const words = new Set(nullWordsOf(type));
    const value = `CASE WHEN ${valueOf(planned[0]!, 0)} IS NULL THEN 'null' ELSE 'value' END`;
    const sql = `CASE WHEN ${isGood(planned)} THEN ${value} ELSE 'fault in ' || (${findFault(planned)}) END`;
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 200, maxLength: 400 }), async (texts) => {
        const rows = texts.map((value) => [value]);
        const found = await duckDb.evaluate(planned, rows, sql);
        const expected = texts.map((value) =>
          words.has(value) ? 'null' : fits(type, value) ? 'value' : 'fault in 0',
        );
        const wrong = texts.flatMap((value, index) =>
          found[index] === expected[index] ? [] : [{ value, sql: found[index], expected: expected[index] }],
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test('int64 accepts what BigInt writes back unchanged, within 64 bits', () => {
    fc.assert(
      fc.property(fc.oneof(number, known), (value) => {
        let isWhole = false;
        try {
          const big = BigInt(value);
          isWhole = value !== '' && String(big) === value && BigInt.asIntN(64, big) === big;
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
        }
        expect(fits('int64', value)).toBe(isWhole);
        expect(['integer', 'longInteger'].includes(classify(value))).toBe(isWhole);
      }),
      { numRuns: 5_000 },
    );
  });

  test('date accepts what Date writes back unchanged', () => {
    fc.assert(
      fc.property(day, (value) => {
        const at = new Date(`${value}T00:00:00Z`);
        const isDay = !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === value;
        expect(fits('date', value)).toBe(isDay && !value.startsWith('0000'));
        expect(classify(value) === 'date').toBe(fits('date', value));
      }),
      { numRuns: 5_000 },
    );
  });

  test('double keeps the number of the text', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const exact = String(value);
        const isKept = fits('double', exact);
        // Whole numbers of more than 15 digits are refused, because a double may round them.
        if (isKept && !Number.isNaN(value)) expect(Number(exact)).toBe(value === 0 ? 0 : value);
        else if (!Number.isNaN(value)) expect(Math.abs(value)).toBeGreaterThan(1e15);
      }),
      { numRuns: 2_000 },
    );
  });
});
