import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ColumnType } from '../../shared/domains/datasets/schema/column.ts';
import { fits, nullWordsOf } from '../../shared/domains/datasets/schema/strict-types.ts';
import { findFault, isGood, valueOf } from '../../shared/adapters/duckdb/conversion/row-checks.ts';
import { planTypes, TypedTexts } from '../support/datasets/typed-texts.ts';

let duckDb: TypedTexts;
beforeAll(async () => {
  duckDb = await TypedTexts.open();
});
afterAll(() => duckDb[Symbol.dispose]());

const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
const digits = (maxLength: number) =>
  fc.array(fc.constantFrom(0, 0, 1, 5, 9, 9), { maxLength }).map((all) => all.join(''));

describe('a decimal', () => {
  const written = fc
    .tuple(fc.constantFrom('', '', '-', '+'), digits(22), fc.option(digits(14)), digits(2))
    .map(([sign, whole, fraction, zeros]) => {
      const end = fraction === null ? '' : `.${fraction}${zeros.replaceAll(/[^0]/g, '0')}`;
      return `${sign}${whole}${end}`;
    });
  const kinds = fc.constantFrom<[number, number]>(
    [18, 2],
    [38, 10],
    [5, 5],
    [22, 4],
    [19, 0],
    [1, 1],
    [38, 38],
  );

  test('keeps every digit: it equals the whole number with its point moved', async () => {
    await fc.assert(
      fc.asyncProperty(
        kinds,
        fc.array(written, { minLength: 50, maxLength: 150 }),
        async ([precision, scale], texts) => {
          const type: ColumnType = `decimal(${precision},${scale})`;
          const expected = texts.map((text) => readDecimal(text, precision, scale));
          expect(texts.map((text) => [text, fits(type, text)])).toEqual(
            texts.map((text, index) => [text, expected[index] !== undefined]),
          );
          const found = await duckDb.convert(type, texts);
          const numbers = found.map((text) => (text === null || text === 'bad' ? text : moved(text)));
          expect(numbers).toEqual(
            texts.map((text, index) => (text === '' ? null : (expected[index] ?? 'bad'))),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  /** A number times 10^scale. DuckDB writes all digits. */
  function moved(text: string): bigint {
    return BigInt(text.replace('.', ''));
  }

  /** The value times 10^scale; undefined when the text breaks the rules or exceeds the type. */
  function readDecimal(text: string, precision: number, scale: number): bigint | undefined {
    const isNegative = text.startsWith('-');
    const [whole = '', fraction, ...more] = text.slice(isNegative ? 1 : 0).split('.');
    if (more.length > 0 || fraction === '' || text.includes('+')) return undefined;
    if (whole === '' && (fraction === undefined || scale === 0)) return undefined;
    if (whole.length > 1 && whole.startsWith('0')) return undefined;
    const places = fraction?.length ?? 0;
    const scaled = BigInt(whole + (fraction ?? '')) * 10n ** BigInt(scale);
    const unit = 10n ** BigInt(places);
    if (scaled % unit !== 0n || scaled / unit >= 10n ** BigInt(precision)) return undefined;
    return isNegative ? -(scaled / unit) : scaled / unit;
  }
});

describe('a timestamp', () => {
  const parts = fc.record({
    year: fc.oneof(
      fc.constantFrom(0, 1, 2, 1582, 1900, 2000, 2024, 9998, 9999),
      fc.integer({ min: 1, max: 9999 }),
    ),
    month: fc.oneof(fc.constantFrom(1, 2, 12), fc.integer({ min: 1, max: 12 })),
    day: fc.oneof(fc.constantFrom(1, 28, 29, 30, 31), fc.integer({ min: 1, max: 31 })),
    hour: fc.oneof(fc.constantFrom(0, 23), fc.integer({ min: 0, max: 24 })),
    minute: fc.constantFrom(0, 1, 29, 30, 31, 59, 60),
    second: fc.constantFrom(0, 30, 59, 60),
    micros: fc.oneof(fc.constantFrom(0, 1, 999_999), fc.nat(999_999)),
    places: fc.integer({ min: 0, max: 9 }),
    sign: fc.constantFrom('+', '-', 'Z', ''),
    zoneHour: fc.oneof(fc.constantFrom(0, 1, 14, 15), fc.nat(14)),
    zoneMinute: fc.option(fc.constantFrom(0, 1, 30, 59)),
    colon: fc.constantFrom(':', ''),
    between: fc.constantFrom('T', ' '),
  });
  type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never;
  /** Mostly the first or last instants of the calendar, in some zone. */
  const edge = fc.tuple(parts, fc.boolean()).map(([of, isFirst]): Parts => ({
    ...of,
    ...(isFirst ? { year: 1, month: 1, day: 1 } : { year: 9999, month: 12, day: 31 }),
  }));

  /** Its text is in year 0, its instant in year 1. */
  const yearZero: Parts = {
    year: 0,
    month: 12,
    day: 31,
    between: 'T',
    hour: 23,
    minute: 30,
    second: 0,
    micros: 0,
    places: 0,
    sign: '-',
    zoneHour: 1,
    zoneMinute: 0,
    colon: ':',
  };

  function write(of: Parts): string {
    const day = `${pad(of.year, 4)}-${pad(of.month)}-${pad(of.day)}`;
    const fraction = of.places === 0 ? '' : `.${(pad(of.micros, 6) + '000').slice(0, of.places)}`;
    const zoneMinute = of.zoneMinute === null ? '' : of.colon + pad(of.zoneMinute);
    const zone = of.sign === '+' || of.sign === '-' ? of.sign + pad(of.zoneHour) + zoneMinute : of.sign;
    return `${day}${of.between}${pad(of.hour)}:${pad(of.minute)}:${pad(of.second)}${fraction}${zone}`;
  }

  /** Microseconds since 1970, calculated with Date. */
  function read(of: Parts): bigint | undefined {
    const date = new Date(0);
    date.setUTCFullYear(of.year, of.month - 1, of.day);
    if (date.getUTCMonth() !== of.month - 1 || of.year === 0) return undefined;
    if (of.hour > 23 || of.minute > 59 || of.second > 59) return undefined;
    date.setUTCHours(of.hour, of.minute, of.second);
    const isZoned = of.sign === '+' || of.sign === '-';
    if (isZoned && of.zoneHour > 14) return undefined;
    const zone = isZoned ? (of.zoneHour * 60 + (of.zoneMinute ?? 0)) * (of.sign === '-' ? -1 : 1) : 0;
    const at = new Date(date.getTime() - zone * 60_000);
    if (at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9999) return undefined;
    const unit = 10 ** Math.max(0, 6 - of.places);
    return BigInt(at.getTime()) * 1000n + BigInt(Math.floor(of.micros / unit) * unit);
  }

  test('is the instant that Date calculates, to the microsecond, from the first to the last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(parts, edge), { minLength: 50, maxLength: 150 }), async (all) => {
        const texts = all.map(write);
        const expected = all.map(read);
        expect(texts.map((text) => [text, fits('timestamp', text)])).toEqual(
          texts.map((text, index) => [text, expected[index] !== undefined]),
        );
        const found = await duckDb.convert('timestamp', texts, (value) => `epoch_us(${value})`);
        expect(texts.map((text, index) => [text, found[index]])).toEqual(
          texts.map((text, index) => [text, String(expected[index] ?? 'bad')]),
        );
      }),
      { numRuns: 40, examples: [[[yearZero]]] },
    );
  });
});

test('a double equals the one that JavaScript parses, to the last bit', async () => {
  const scientific = fc
    .tuple(digits(20), digits(25), fc.integer({ min: -330, max: 310 }))
    .map(([whole, fraction, exponent]) => `1${whole}.${fraction}1e${exponent}`);
  const many = fc.tuple(fc.integer(), digits(25)).map((parts) => `${parts.join('.')}3`);
  const known = ['-inf', 'nan', '-0', '2.2250738585072011e-308', '4.9e-324', '2.4703282292062327e-324'];
  const text = fc.oneof(fc.double().map(String), scientific, many, fc.constantFrom(...known));
  const planned = planTypes(['double']);
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 50, maxLength: 150 }), async (all) => {
      const texts = all.filter((one) => fits('double', one));
      fc.pre(texts.length > 0);
      const rows = texts.map((one) => [one]);
      const found = await duckDb.evaluate(
        planned,
        rows,
        `CASE WHEN ${isGood(planned)} THEN ${valueOf(planned[0]!, 0)} END`,
      );
      const numbers = texts.map((one) => Number(one.replace(/^(-?)inf.*$/i, '$1Infinity')));
      expect(texts.map((one, index) => [one, found[index]])).toEqual(
        texts.map((one, index) => [one, numbers[index]]),
      );
    }),
    { numRuns: 40 },
  );
});

test('a wide row reports its first text that does not fit', async () => {
  const types = ['int64', 'double', 'decimal(5,2)', 'boolean', 'date', 'timestamp', 'string'] as const;
  const good = ['1', '0.5', '-1.25', 'TRUE', '2024-02-29', '2024-02-29 10:00', '"\n', 'NA', '', null];
  // More than two patterns hold; a line feed separates texts that are matched together.
  const width = 150;
  const planned = planTypes(Array.from({ length: width }, (_, index) => types[index % types.length]!));
  const all = planned.map(({ type }) =>
    good.filter((text) => text === null || nullWordsOf(type).includes(text) || fits(type, text)),
  );
  const bad = fc.constantFrom(
    'x',
    '1\n',
    '\n1',
    '1\n0.5',
    '\n',
    '1e400',
    '99999999999999999999',
    '2023-02-29',
    '0000-01-01',
  );
  const row = fc.record({
    seeds: fc.array(fc.nat(99), { minLength: width, maxLength: width }),
    faults: fc.array(fc.tuple(fc.nat(width - 1), bad), { maxLength: 2 }),
  });
  const typed = planned.filter(({ type }) => type !== 'string');
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 5, maxLength: 10 }), async (made) => {
      const rows = made.map(({ seeds, faults }) => {
        const texts = seeds.map((seed, index) => all[index]![seed % all[index]!.length]!);
        for (const [index, text] of faults) texts[index] = text;
        return texts;
      });
      const expected = rows.map((texts) => {
        const first = planned.find(({ type }, index) => {
          const text = texts[index] ?? null;
          return text !== null && !nullWordsOf(type).includes(text) && !fits(type, text);
        });
        return first === undefined ? 'good, -1' : `bad, ${typed.indexOf(first)}`;
      });
      const sql = `concat(CASE WHEN ${isGood(planned)} THEN 'good' ELSE 'bad' END, ', ', ${findFault(planned)})`;
      expect(await duckDb.evaluate(planned, rows, sql)).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});
