import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inferSchema, mergeSurveys } from '../../shared/domains/datasets/schema/infer-schema.ts';
import { fits, nullWordsOf } from '../../shared/domains/datasets/schema/strict-types.ts';
import type { ColumnType } from '../../shared/domains/datasets/schema/column.ts';
import type { ColumnSurvey } from '../../shared/domains/datasets/schema/survey.ts';
import { surveyTexts } from '../support/datasets/survey-texts.ts';

const two = fc.integer({ min: 1, max: 12 }).map((value) => String(value).padStart(2, '0'));
const kinds = {
  integer: fc.integer().map(String),
  long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  big: fc.bigInt({ min: 2n ** 63n, max: 10n ** 30n }).map(String),
  decimal: fc.tuple(fc.integer(), fc.integer({ min: 0, max: 9_999 })).map((parts) => parts.join('.')),
  double: fc.double({ noNaN: true }).map(String),
  words: fc.constantFrom('NaN', 'inf', 'NA', '', 'null', 'true', 'FALSE', 'yes', '007', ' 5', '01/02/2024'),
  date: fc.tuple(two, two).map((parts) => `2024-${parts.join('-')}`),
  timestamp: fc.tuple(two, two).map(([month, hour]) => `2024-${month}-03T${hour}:00:00Z`),
  local: two.map((month) => `2024-${month}-03 10:00`),
  text: fc.string({ minLength: 1, maxLength: 6 }),
};
type Kind = keyof typeof kinds;
/** Few kinds: a mixture of ten is always strings. */
const column = fc
  .uniqueArray(fc.constantFrom(...(Object.keys(kinds) as Kind[])), { minLength: 1, maxLength: 3 })
  .chain((chosen) =>
    fc.array(fc.oneof(...chosen.map((kind) => kinds[kind])), { minLength: 1, maxLength: 40 }),
  );

function infer(of: ColumnSurvey, tolerance: number) {
  return inferSchema([of], { tolerance })[0]!;
}

describe('the type of a column', () => {
  test('holds every value, except as many as the tolerance allows', () => {
    fc.assert(
      fc.property(column, fc.constantFrom(0, 0.01, 0.1, 0.3), (texts, tolerance) => {
        const { type } = infer(surveyTexts(texts), tolerance);
        const words = new Set(nullWordsOf(type));
        const values = texts.filter((text) => !words.has(text));
        const misfits = values.filter((text) => !fits(type, text));
        // Overflow and text are counted apart, each within the tolerance.
        expect(misfits.length).toBeLessThanOrEqual(2 * tolerance * texts.length);
        if (tolerance === 0) expect(misfits).toEqual([]);
      }),
      {
        numRuns: 5_000,
        examples: [
          [
            ['7 Jan', '-1000000000000000', '9223372036854775808', 'inf', ' 5', 'inf', '9223372036854775808'],
            0.3,
          ],
        ],
      },
    );
  });

  test('does not depend on the order of values or on how a file was cut', () => {
    fc.assert(
      fc.property(column, fc.nat(40), fc.constantFrom(0, 0.1), (texts, cut, tolerance) => {
        const whole = surveyTexts(texts);
        const merged = mergeSurveys([
          [surveyTexts(texts.slice(0, cut))],
          [surveyTexts(texts.slice(cut), 'c', cut + 1)],
        ])[0]!;
        expect(merged).toEqual(whole);
        expect(infer(merged, tolerance)).toEqual(infer(whole, tolerance));
        expect(infer(surveyTexts(texts.toReversed()), tolerance).type).toBe(infer(whole, tolerance).type);
      }),
      { numRuns: 3_000 },
    );
  });

  test('is no wider than necessary', () => {
    const narrowest = (...texts: string[]) => infer(surveyTexts(texts), 0).type;
    expect(narrowest('1', '-2')).toBe('int64');
    expect(narrowest('1', '2.50')).toBe('decimal(18,2)');
    expect(narrowest('1', '12345678901234567.50')).toBe('decimal(38,2)');
    expect(narrowest('9223372036854775808')).toBe('decimal(38,0)');
    expect(narrowest('1', '1e3')).toBe('double');
    expect(narrowest('0.1234567')).toBe('double');
    expect(narrowest('9007199254740993', '1e3')).toBe('string');
    expect(narrowest('true', 'NA')).toBe('boolean');
    expect(narrowest('2024-01-01')).toBe('date');
    expect(narrowest('2024-01-01', '2024-01-01T00:00:00Z')).toBe('timestamp');
    expect(narrowest('1', '007')).toBe('string');
    expect(narrowest('1', 'true')).toBe('string');
    expect(narrowest('01/02/2024')).toBe('string');
    expect(narrowest('NA', '')).toBe('string');
  });

  test('applies the tolerance to the row', () => {
    const texts = (bad: number) => [...Array<string>(100 - bad).fill('1'), ...Array<string>(bad).fill('x')];
    expect([1, 2].map((bad) => infer(surveyTexts(texts(bad)), 0.01).type)).toEqual(['int64', 'string']);
    expect(infer(surveyTexts(texts(1)), 0.01).note).toBe(
      `1 of 100 values do not fit, such as "x" in row 100.`,
    );
    expect(infer(surveyTexts(['1', '2', 'x']), 0.01).type).toBe('string');
    // One id with leading zeros makes all of them ids.
    expect(infer(surveyTexts([...texts(0), '007']), 0.1).type).toBe('string');
  });
});

/** Texts of few kinds, so that columns of one type and of nearly one type are as likely as mixtures. */
const pools = [
  ['0', '7', '-12', '999999999999999'],
  ['9007199254740993', '-9223372036854775808', '9223372036854775807'],
  ['9223372036854775808', '9'.repeat(37), '-' + '9'.repeat(38)],
  ['0.5', '-.25', '12.000001', '99999999999999999.5'],
  ['0.0000001', '1e3', 'inf'],
  ['NaN', 'nan'],
  ['NA', '', 'null'],
  ['true', 'False'],
  ['2024-02-29', '0001-01-01'],
  ['2024-02-29T10:00:00Z', '2024-02-29 10:00'],
  ['x', '2023-02-29', '1e400', ' ', '9'.repeat(39)],
  ['007', ' 5', '01/02/2024', '13/02/2024', '01/13/2024'],
];
const rare = fc.integer({ min: 0, max: 3 });
const nearlyTyped = fc
  .record({
    pool: fc.subarray(pools, { minLength: 1, maxLength: 3 }),
    sizes: fc.tuple(fc.integer({ min: 0, max: 120 }), rare, rare),
    picks: fc.array(fc.nat(11), { minLength: 1, maxLength: 7 }),
    order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
  })
  .map(({ pool, sizes, picks, order }) =>
    pool.flatMap((texts, at) =>
      Array.from(
        { length: sizes[order[at]!]! },
        (_, index) => texts[(picks[index % picks.length]! + index) % texts.length]!,
      ),
    ),
  );

describe('the inferred type', () => {
  test('counts as misfits exactly what it does not accept', () => {
    fc.assert(
      fc.property(nearlyTyped, fc.constantFrom(0, 0.01, 0.05, 0.3), (texts, tolerance) => {
        const { type, note = '' } = inferSchema([surveyTexts(texts)], { tolerance })[0]!;
        if (type === 'string') return;
        const words = new Set(nullWordsOf(type));
        const values = texts.filter((text) => !words.has(text));
        const misfits = values.filter((text) => !fits(type, text));
        const [, reported = '0', of] = /(\d+) of (\d+) values do not fit/.exec(note) ?? [];
        expect({ type, reported: Number(reported) }).toEqual({ type, reported: misfits.length });
        const row = /such as .* in row (\d+)\.$/.exec(note)?.[1];
        if (row !== undefined) expect(misfits).toContain(texts[Number(row) - 1]);
        if (of !== undefined) expect(Number(of)).toBe(values.length);
      }),
      { numRuns: 3_000 },
    );
  });

  test('holds all numbers exactly, or is string when no type can', () => {
    const numeric = fc.array(fc.constantFrom('-0', ...pools.slice(0, 5).flat()), {
      minLength: 1,
      maxLength: 6,
    });
    const decimals = Array.from({ length: 7 }, (_, scale) =>
      [18, 38].map((p): ColumnType => `decimal(${p},${scale})`),
    );
    const narrowestFirst: readonly ColumnType[] = [
      'int64',
      ...decimals.flatMap(([small]) => small!),
      ...decimals.flatMap(([, large]) => large!),
      'double',
      'string',
    ];
    fc.assert(
      fc.property(fc.oneof(nearlyTyped, numeric), (texts) => {
        const values = texts.filter((text) => !nullWordsOf('double').includes(text) && !/^nan$/i.test(text));
        const isNumber = (text: string) =>
          !/^-?0\d/.test(text) &&
          text.trim() === text &&
          (fits('double', text) || fits('decimal(38,0)', text));
        fc.pre(values.length > 0 && values.every(isNumber));
        // Exponents and seven decimal places mark measurements, even where a decimal could hold them.
        const measured = values.some((text) => /e|inf|\.\d{7}|^-0$/i.test(text));
        const expected = narrowestFirst.find(
          (type) => (!measured || !type.startsWith('decimal')) && values.every((text) => fits(type, text)),
        );
        expect(inferSchema([surveyTexts(texts)], { tolerance: 0 })[0]!.type).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  test('is the same for one survey and for any chunks, with nulls and orders of day and month', () => {
    const row = fc.tuple(
      fc.option(fc.constantFrom(...pools.flat())),
      fc.option(fc.constantFrom(...pools[11]!)),
    );
    const cuts = fc.array(fc.nat(60), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), cuts, (rows, at) => {
        const look = (from: number, to: number) =>
          [0, 1].map((index) =>
            surveyTexts(
              rows.slice(from, to).map((texts) => texts[index]!),
              ['a', '__proto__'][index],
              from + 1,
            ),
          );
        const ends = [...at.filter((end) => end < rows.length).toSorted((a, b) => a - b), rows.length];
        const chunks = ends.map((end, index) => look(ends[index - 1] ?? 0, end));
        const whole = look(0, rows.length);
        expect(mergeSurveys(chunks)).toEqual(whole);
        // Merged by twos: a merged survey is merged again.
        expect(chunks.reduce((sum, chunk) => mergeSurveys([sum, chunk]).slice(), [] as typeof whole)).toEqual(
          whole,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
