import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inferSchema, mergeSurveys } from '../../shared/domains/datasets/schema/infer-schema.ts';
import { fits, nullWordsOf } from '../../shared/domains/datasets/schema/strict-types.ts';
import type { ColumnSurvey } from '../../shared/domains/datasets/schema/survey.ts';
import { ColumnCounter } from '../../shared/domains/datasets/schema/survey-values.ts';

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
/** Mostly of a kind or two: of ten, all would be strings. */
const column = fc
  .uniqueArray(fc.constantFrom(...(Object.keys(kinds) as Kind[])), { minLength: 1, maxLength: 3 })
  .chain((chosen) =>
    fc.array(fc.oneof(...chosen.map((kind) => kinds[kind])), { minLength: 1, maxLength: 40 }),
  );

function survey(texts: readonly string[], firstRow = 1): ColumnSurvey {
  const counter = new ColumnCounter('c');
  for (const [index, text] of texts.entries()) counter.add(text, firstRow + index);
  return counter.finish();
}

function infer(of: ColumnSurvey, tolerance: number) {
  return inferSchema([of], { tolerance })[0]!;
}

describe('the type of a column', () => {
  test('holds every value of it, unless the tolerance lets some go, and those are no more than it says', () => {
    fc.assert(
      fc.property(column, fc.constantFrom(0, 0.01, 0.1, 0.3), (texts, tolerance) => {
        const { type } = infer(survey(texts), tolerance);
        const words = new Set(nullWordsOf(type));
        const values = texts.filter((text) => !words.has(text));
        const misfits = values.filter((text) => !fits(type, text));
        // Overflow and what belongs to no number at all are judged one by one: each within the tolerance.
        expect(misfits.length).toBeLessThanOrEqual(2 * tolerance * texts.length);
        if (tolerance === 0) expect(misfits).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });

  test('does not depend on the order of the values, nor on how a file was cut', () => {
    fc.assert(
      fc.property(column, fc.nat(40), fc.constantFrom(0, 0.1), (texts, cut, tolerance) => {
        const whole = survey(texts);
        const merged = mergeSurveys([[survey(texts.slice(0, cut))], [survey(texts.slice(cut), cut + 1)]])[0]!;
        expect(merged).toEqual(whole);
        expect(infer(merged, tolerance)).toEqual(infer(whole, tolerance));
        expect(infer(survey(texts.toReversed()), tolerance).type).toBe(infer(whole, tolerance).type);
      }),
      { numRuns: 3_000 },
    );
  });

  test('is no wider than it must be', () => {
    const narrowest = (...texts: string[]) => infer(survey(texts), 0).type;
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

  test('keeps to its tolerance to the row', () => {
    const texts = (bad: number) => [...Array<string>(100 - bad).fill('1'), ...Array<string>(bad).fill('x')];
    expect([1, 2].map((bad) => infer(survey(texts(bad)), 0.01).type)).toEqual(['int64', 'string']);
    expect(infer(survey(texts(1)), 0.01).note).toBe(`1 of 100 values do not fit, such as "x" in row 100.`);
    expect(infer(survey(['1', '2', 'x']), 0.01).type).toBe('string');
    // One id with leading zeros tells that all of them are ids.
    expect(infer(survey([...texts(0), '007']), 0.1).type).toBe('string');
  });
});
