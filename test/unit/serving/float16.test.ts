import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFloat16, encodeFloat16 } from '../../../shared/domains/serving/float16.ts';

/** The engine's own binary16, where available. */
const view = new DataView(new ArrayBuffer(2));

test('reads all 65,536 patterns as the engine does, and writes them back', () => {
  for (let bits = 0; bits < 0x1_0000; bits++) {
    view.setUint16(0, bits);
    const value = decodeFloat16(bits);
    expect(value, `bits ${bits}`).toBe(view.getFloat16(0));
    if (!Number.isNaN(value)) expect(encodeFloat16(value)).toBe(bits);
  }
});

test('rounds as the engine does: to the nearest, ties to even', () => {
  const check = (value: number) => {
    view.setFloat16(0, value);
    expect(encodeFloat16(value), String(value)).toBe(view.getUint16(0));
  };
  fc.assert(fc.property(fc.double({ min: -70_000, max: 70_000, noNaN: true }), check));
  fc.assert(fc.property(fc.double({ min: -1e-4, max: 1e-4, noNaN: true }), check));
  // Halfway between each two neighbours, and a little to either side.
  for (let bits = 0; bits < 0x7bff; bits += 7) {
    const middle = (decodeFloat16(bits) + decodeFloat16(bits + 1)) / 2;
    for (const factor of [1 - 2 ** -40, 1, 1 + 2 ** -40]) check(middle * factor);
  }
  for (const value of [65_504, 65_519.99, 65_520, Infinity, -Infinity, NaN, 0, -0]) check(value);
});
