import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readDirtyCases, readDirtyText } from '../../support/dirty-corpus.ts';

const cases = readDirtyCases();

describe('the corpus of dirty files', () => {
  test('is there', () => {
    expect(cases.length).toBeGreaterThan(100);
    expect(cases.filter(({ quarantined = [] }) => quarantined.length > 0).length).toBeGreaterThan(30);
  });

  test.each(cases)('$name says of each bad row what stands there in the file', ({ file, ...expected }) => {
    const { quarantined = [], rowsIn, committed, refusal, encoding = 'utf-8' } = expected;
    if (refusal === undefined) expect(rowsIn).toBe((committed ?? 0) + quarantined.length);
    if (quarantined.length === 0) return;
    const bytes = readDirtyText(file);
    for (const { byteOffset, byteLength, raw, isLatin1 } of quarantined) {
      const span = bytes.subarray(byteOffset, byteOffset + byteLength);
      expect(isLatin1 === true ? span.toString('latin1') : new TextDecoder(encoding).decode(span)).toBe(raw);
    }
    expect(readFileSync(file).length).toBeGreaterThan(0);
  });
});
