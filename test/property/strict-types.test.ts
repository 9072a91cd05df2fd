import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ColumnType } from '../../shared/domains/datasets/schema/column.ts';
import { classify, fits, nullWordsOf } from '../../shared/domains/datasets/schema/strict-types.ts';
import { planColumns } from '../../shared/adapters/duckdb/conversion/column-plan.ts';
import {
  findFault,
  isGood,
  selectTyped,
  valueOf,
} from '../../shared/adapters/duckdb/conversion/row-checks.ts';

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
/** Where types end, and what they are easily taken for. */
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
/** Some with a character too many: a space, a digit, a sign. */
const text = fc
  .tuple(
    plain,
    fc.option(fc.tuple(fc.nat(30), fc.constantFrom(' ', '0', '-', '.', '\n', '\t', '_', 'Z')), { freq: 4 }),
  )
  .map(([of, change]) => (change === null ? of : of.slice(0, change[0]) + change[1] + of.slice(change[0])));

describe('what is a value of a type', () => {
  let instance: DuckDBInstance;
  let connection: DuckDBConnection;
  beforeAll(async () => {
    instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
  });
  afterAll(() => {
    connection.closeSync();
    instance.closeSync();
  });

  /** What the SQL makes of texts: `bad`, or the value (null for none). */
  async function convert(type: ColumnType, texts: readonly string[]): Promise<(string | null)[]> {
    const planned = planColumns(['x'], { columns: [{ name: 'x', type, nullable: true }], constraints: [] });
    await connection.run('CREATE OR REPLACE TEMP TABLE texts (n INTEGER, c0 VARCHAR)');
    const appender = await connection.createAppender('texts');
    for (const [index, value] of texts.entries()) {
      appender.appendInteger(index);
      appender.appendVarchar(value);
      appender.endRow();
    }
    appender.closeSync();
    const typed = selectTyped(planned, '(SELECT c0 FROM texts ORDER BY n)');
    const reader = await connection.runAndReadAll(
      `SELECT CASE WHEN ${isGood(planned)} THEN ${valueOf(planned[0]!, 0)}::VARCHAR ELSE 'bad' || (${findFault(planned)}) END FROM (${typed})`,
    );
    return reader.getColumns()[0] as (string | null)[];
  }

  test.each(types)('%s: JavaScript and DuckDB say the same of every text', async (type) => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 200, maxLength: 400 }), async (texts) => {
        const words = new Set(nullWordsOf(type));
        const found = await convert(type, texts);
        // A text that is faulty names its fault, the first and only.
        const told = found.map((value) =>
          value?.startsWith('bad') === true ? value : value === null ? 'none' : 'value',
        );
        const expected = texts.map((value) =>
          words.has(value) ? 'none' : fits(type, value) ? 'value' : 'bad0',
        );
        const wrong = texts.flatMap((value, index) =>
          told[index] === expected[index] ? [] : [{ value, sql: found[index], expected: expected[index] }],
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test('int64 is what BigInt writes the same, within 64 bits', () => {
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

  test('a date is what Date writes the same', () => {
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

  test('a double keeps the number that the text says', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const exact = String(value);
        const isKept = fits('double', exact);
        // Whole numbers of more than 15 digits are refused as text, whatever a double would make of them.
        if (isKept && !Number.isNaN(value)) expect(Number(exact)).toBe(value === 0 ? 0 : value);
        else if (!Number.isNaN(value)) expect(Math.abs(value)).toBeGreaterThan(1e15);
      }),
      { numRuns: 2_000 },
    );
  });
});
