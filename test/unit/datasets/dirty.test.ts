import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDirtyCases, readDirtyText } from '../../support/datasets/dirty-corpus.ts';
import { checkDirtyCase } from '../../support/datasets/check-dirty-case.ts';
import { type IngestBench, openIngestBench } from '../../support/datasets/dirty-ingest.ts';

const cases = readDirtyCases();

describe('the corpus of dirty files', () => {
  test('exists', () => {
    expect(cases.length).toBeGreaterThan(100);
    expect(cases.filter(({ quarantined = [] }) => quarantined.length > 0).length).toBeGreaterThan(30);
  });

  test.each(cases)('$name: each bad row has its text of the file', ({ file, ...expected }) => {
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

describe('the outcome of a dirty file', () => {
  let bench: IngestBench;
  beforeAll(async () => {
    bench = await openIngestBench();
  });
  afterAll(() => bench.close());

  test.each(cases)('$name', (expected) => checkDirtyCase(bench, expected));
});
