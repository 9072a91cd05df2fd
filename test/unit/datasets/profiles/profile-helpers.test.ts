import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { doubleEdges, wholeEdges } from '../../../../shared/domains/datasets/profiles/bucket-edges.ts';
import { formatDay, formatMoment } from '../../../../shared/domains/datasets/schema/format-moment.ts';
import { formatDecimal } from '../../../../shared/adapters/duckdb/profiling/ordered-kinds.ts';
import { ratio } from '../../../../shared/core/stats/ratio.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('a ratio of whole numbers', () => {
  /** The exact fraction of a double, from its bits. */
  function toFraction(value: number): readonly [bigint, bigint] {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, value);
    const raw = bits.getBigUint64(0);
    const exponent = Number((raw >> 52n) & 0x7ffn);
    const mantissa = (raw & ((1n << 52n) - 1n)) + (exponent === 0 ? 0n : 1n << 52n);
    const signed = raw >> 63n === 1n ? -mantissa : mantissa;
    const power = Math.max(1, exponent) - 1075;
    return power >= 0 ? [signed << BigInt(power), 1n] : [signed, 1n << BigInt(-power)];
  }

  test('equals the double that it represents, however it is extended', () => {
    fc.assert(
      fc.property(finite, fc.bigInt({ min: 1n, max: 10n ** 40n }), (value, factor) => {
        const [numerator, denominator] = toFraction(value);
        expect(ratio(numerator * factor, denominator * factor) + 0).toBe(value + 0);
      }),
    );
  });

  test('rounds to the nearest double, as division of safe integers does', () => {
    const safe = fc.maxSafeInteger();
    fc.assert(
      fc.property(safe, fc.integer({ min: 1 }), (a, b) => {
        expect(ratio(BigInt(a), BigInt(b)) + 0).toBe(a / b + 0);
      }),
    );
  });

  test('rounds ties to even, also among subnormals; overflow is infinite', () => {
    expect(ratio((1n << 53n) + 1n, 1n)).toBe(2 ** 53);
    expect(ratio((1n << 53n) + 3n, 1n)).toBe(2 ** 53 + 4);
    expect(ratio(3n, 1n << 1075n)).toBe(2 ** -1073);
    expect(ratio(1n, 1n << 1075n)).toBe(0);
    expect(ratio(1n << 1024n, 1n)).toBe(Infinity);
    expect(ratio(-1n, 1n << 1074n)).toBe(-(2 ** -1074));
  });
});

describe('edges', () => {
  test('of doubles ascend from the least value to the greatest at about equal distances', () => {
    fc.assert(
      fc.property(finite, finite, fc.integer({ min: 1, max: 40 }), (a, b, buckets) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const edges = doubleEdges(min, max, buckets);
        expect([edges[0], edges.at(-1)]).toEqual([min, max]);
        expect(edges.length).toBeLessThanOrEqual(buckets + 1);
        if (min === max) return;
        for (const [index, edge] of edges.slice(1).entries()) expect(edge).toBeGreaterThan(edges[index]!);
        if (max - min > 1e-300 && max - min > 1e-9 * Math.max(-min, max) && Number.isFinite(max - min))
          expect(((edges[1]! - min) / (max - min)) * buckets).toBeCloseTo(1, 6);
      }),
    );
  });

  test('of whole numbers have equal distances, and end after the greatest value', () => {
    const whole = fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n });
    fc.assert(
      fc.property(whole, whole, fc.integer({ min: 1, max: 40 }), (a, b, buckets) => {
        const [min, max] = a < b ? [a, b] : [b, a];
        const edges = wholeEdges(min, max, buckets);
        const widths = new Set(edges.slice(1).map((edge, index) => edge - edges[index]!));
        expect(widths.size).toBe(1);
        expect(edges.length).toBeLessThanOrEqual(buckets + 1);
        expect(edges[0]).toBe(min);
        expect(edges.at(-1)! > max && edges.at(-2)! <= max).toBe(true);
      }),
    );
  });
});

describe('the text of', () => {
  test('days and instants equals that of Date, within its range', () => {
    const limit = 8_640_000_000_000_000;
    fc.assert(
      fc.property(fc.integer({ min: -limit, max: limit }), fc.integer({ min: 0, max: 999 }), (ms, micros) => {
        const iso = new Date(ms).toISOString();
        expect(formatMoment(BigInt(ms) * 1000n + BigInt(micros))).toBe(
          iso.replace('Z', `${String(micros).padStart(3, '0')}Z`),
        );
        expect(formatDay(Math.floor(ms / 86_400_000))).toBe(iso.replace(/T.*/, ''));
      }),
    );
  });

  test('infinite values names their sign', () => {
    expect(formatMoment(2n ** 63n - 1n)).toBe('infinity');
    expect(formatMoment(1n - 2n ** 63n)).toBe('-infinity');
    expect([formatDay(2 ** 31 - 1), formatDay(1 - 2 ** 31)]).toEqual(['infinity', '-infinity']);
  });

  test.each([
    [0n, 2, '0.00'],
    [-5n, 2, '-0.05'],
    [-150n, 2, '-1.50'],
    [7n, 0, '7'],
    [10n ** 37n, 38, '0.10000000000000000000000000000000000000'],
  ])('the decimal %s / 10^%s', (unscaled, scale, text) => {
    expect(formatDecimal(unscaled, scale)).toBe(text);
  });
});
