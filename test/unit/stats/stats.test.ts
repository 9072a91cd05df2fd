import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { choleskyFactor, choleskySolve } from '../../../shared/core/stats/cholesky.ts';
import { exp } from '../../../shared/core/stats/exp.ts';
import { ceilLog2, floorLog2 } from '../../../shared/core/stats/floor-log2.ts';
import { log } from '../../../shared/core/stats/log.ts';
import { log1pUnit } from '../../../shared/core/stats/log1p.ts';
import { sigmoid, softplus } from '../../../shared/core/stats/logistic.ts';
import { computeMoments } from '../../../shared/core/stats/moments.ts';
import { powerOfTwo } from '../../../shared/core/stats/power-of-two.ts';
import { ratio } from '../../../shared/core/stats/ratio.ts';
import { hashRow } from '../../../shared/core/stats/row-hash.ts';

interface Golden {
  readonly sigmoid: { readonly z: readonly number[]; readonly value: readonly number[] };
  readonly log1p: { readonly u: readonly number[]; readonly value: readonly number[] };
}
const golden = readGolden('metrics.json') as Golden;

function readGolden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../golden/stats/${name}`, import.meta.url), 'utf8'));
}

/** The gap between the magnitude of a number and the next larger double. */
function unitOfLastPlace(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0) - Math.abs(value);
}

/** 2^k in decimal digits, by whole numbers alone: 2^-k = 5^k / 10^k. */
function exactPowerOfTwo(k: number): string {
  return k >= 0 ? String(2n ** BigInt(k)) : `${5n ** BigInt(-k)}e${k}`;
}

function relativeError(actual: number, expected: number): number {
  return actual === expected ? 0 : Math.abs(actual - expected) / Math.abs(expected);
}

describe('functions with the same bits everywhere', () => {
  test('exp is within 1 ulp of the C library, over its whole range', () => {
    let worst = 0;
    for (let x = -708; x <= 709; x += 0.0173) worst = Math.max(worst, relativeError(exp(x), Math.exp(x)));
    expect(worst).toBeLessThanOrEqual(Number.EPSILON);
  });

  test('exp at the edges', () => {
    expect(exp(0)).toBe(1);
    expect(exp(-0)).toBe(1);
    expect(exp(NaN)).toBeNaN();
    expect(exp(Infinity)).toBe(Infinity);
    expect(exp(-Infinity)).toBe(0);
    expect(exp(710)).toBe(Infinity);
    expect(relativeError(exp(709.78), Math.exp(709.78))).toBeLessThanOrEqual(Number.EPSILON);
    expect(exp(-745.13)).toBe(Number.MIN_VALUE);
    expect(exp(-746)).toBe(0);
    // Subnormal: fewer digits, one unit of the last.
    expect(Math.abs(exp(-720) - Math.exp(-720))).toBeLessThanOrEqual(Number.MIN_VALUE);
  });

  test('sigmoid and log1p agree with SciPy', () => {
    for (const [i, z] of golden.sigmoid.z.entries())
      expect(relativeError(sigmoid(z), golden.sigmoid.value[i]!)).toBeLessThan(4 * Number.EPSILON);
    for (const [i, u] of golden.log1p.u.entries())
      expect(relativeError(log1pUnit(u), golden.log1p.value[i]!)).toBeLessThan(2 * Number.EPSILON);
  });

  test('log1p keeps its digits for tiny values', () => {
    for (const u of [0, 1e-300, 1e-16, 1e-8, 1e-3])
      expect(relativeError(log1pUnit(u), Math.log1p(u))).toBeLessThan(2 * Number.EPSILON);
  });

  test('log is within 0.72 ulp of the exact value, over its whole range', () => {
    // [x, nearest double, rest]: ln x is their sum, to 300 bits.
    const cases = readGolden('log.json') as readonly (readonly [number, number, number])[];
    let worst = 0;
    for (const [x, nearest, rest] of cases)
      worst = Math.max(worst, Math.abs(log(x) - nearest - rest) / unitOfLastPlace(nearest));
    expect(cases.length).toBeGreaterThan(2000);
    expect(worst).toBeLessThanOrEqual(0.72);
  });

  test('log at the edges', () => {
    expect(log(1)).toBe(0);
    expect(log(0)).toBe(-Infinity);
    expect(log(-0)).toBe(-Infinity);
    expect(log(-1)).toBeNaN();
    expect(log(NaN)).toBeNaN();
    expect(log(Infinity)).toBe(Infinity);
    expect(log(Number.MIN_VALUE)).toBe(-744.4400719213812);
    expect(log(Number.MAX_VALUE)).toBe(709.782712893384);
    expect(log(2)).toBe(Math.LN2);
    expect(log(Number.EPSILON)).toBe(-52 * Math.LN2);
  });

  test('powers of two are exact', () => {
    for (let k = -1022; k <= 1023; k++) expect(powerOfTwo(k)).toBe(Number.parseFloat(exactPowerOfTwo(k)));
    expect(powerOfTwo(-1023)).toBeNaN();
  });

  test('binary logarithms are exact at every power of two and beside it', () => {
    for (let k = -1074; k <= 1023; k++) {
      const power = Number.parseFloat(exactPowerOfTwo(k));
      expect([floorLog2(power), ceilLog2(power)]).toEqual([k, k]);
      // Beside the two smallest powers are other powers.
      if (k < -1072) continue;
      const above = power + unitOfLastPlace(power);
      expect([floorLog2(above), ceilLog2(above)]).toEqual([k, k + 1]);
      const below = power - Math.max(unitOfLastPlace(power) / 2, Number.MIN_VALUE);
      expect([floorLog2(below), ceilLog2(below)]).toEqual([k - 1, k]);
    }
    expect([floorLog2(Number.MAX_VALUE), ceilLog2(Number.MAX_VALUE)]).toEqual([1023, 1024]);
    for (const log2 of [floorLog2, ceilLog2])
      expect([0, -0, -1, NaN, Infinity].map(log2)).toEqual([-Infinity, -Infinity, NaN, NaN, Infinity]);
  });

  test('a ratio beyond every double is infinite', () => {
    expect(ratio(10n ** 2000n, 1n)).toBe(Infinity);
    expect(ratio(-(10n ** 2000n), 1n)).toBe(-Infinity);
    expect(ratio(1n, 10n ** 2000n)).toBe(0);
  });

  test('softplus neither overflows nor loses the small side', () => {
    expect(softplus(0)).toBeCloseTo(Math.LN2, 15);
    expect(softplus(1000)).toBe(1000);
    expect(softplus(-1000)).toBe(0);
    expect(softplus(-40)).toBeCloseTo(Math.exp(-40), 30);
    expect(sigmoid(Infinity)).toBe(1);
    expect(sigmoid(-Infinity)).toBe(0);
    expect(sigmoid(NaN)).toBeNaN();
  });
});

describe('Cholesky', () => {
  test('factors the matrix of the example', () => {
    const a = Float64Array.of(4, 0, 2, 5);
    expect(choleskyFactor(a, 2)).toBe(true);
    expect([...a]).toEqual([2, 0, 1, 2]);
    const b = Float64Array.of(8, 14);
    choleskySolve(a, 2, b);
    expect([...b]).toEqual([0.75, 2.5]);
  });

  test('refuses a matrix that is not positive definite', () => {
    expect(choleskyFactor(Float64Array.of(1, 0, 2, 1), 2)).toBe(false);
    expect(choleskyFactor(Float64Array.of(0), 1)).toBe(false);
    expect(choleskyFactor(Float64Array.of(NaN), 1)).toBe(false);
  });
});

describe('moments', () => {
  test('exclude missing values and other rows', () => {
    const values = Float32Array.of(1, 3, NaN, 100);
    expect(computeMoments(values, Int32Array.of(0, 1, 2))).toEqual({ count: 2, mean: 2, deviation: 1 });
  });

  test('lose no digits to a large mean', () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => 1e9 + (i % 2));
    const rows = Int32Array.from(values.keys());
    expect(computeMoments(values, rows).deviation).toBeCloseTo(0.5, 12);
  });

  test('correct for a mean that is not a double', () => {
    expect(computeMoments(Float64Array.of(1e16, 1e16 + 2), Int32Array.of(0, 1)).deviation).toBe(1);
  });

  test('are NaN for no values', () => {
    expect(computeMoments(Float32Array.of(NaN), Int32Array.of(0))).toEqual({
      count: 0,
      mean: NaN,
      deviation: NaN,
    });
  });
});

describe('row hash', () => {
  test('is MurmurHash3 x86 32 of the row number as 8 bytes', () => {
    // Values of Python's mmh3.hash(row.to_bytes(8, 'little'), seed, signed=False).
    const expected = readGolden('murmur3.json') as { row: number; seed: number; hash: number }[];
    for (const { row, seed, hash } of expected) expect(hashRow(row, seed) * 2 ** 32).toBe(hash);
  });
});
