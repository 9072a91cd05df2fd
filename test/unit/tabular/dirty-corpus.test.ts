import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BadRow } from '../../../shared/formats/tabular/text-chunk.ts';
import { detectFormat } from '../../../shared/formats/tabular/detect-format.ts';
import { scanBytes } from '../../support/tabular/scan-bytes.ts';

/** The files of the corpus that the scan accepts; later stages may refuse them. */
const corpus = 'test/golden/dirty';
const codes = [
  'RAGGED_ROW',
  'QUOTE_IN_FIELD',
  'TEXT_AFTER_QUOTE',
  'UNTERMINATED_QUOTE',
  'BAD_ENCODING',
  'TOO_LONG',
];

interface Expected {
  readonly file: string;
  readonly rowsIn?: number;
  readonly refusal?: { readonly code: string; readonly says: readonly string[] };
  readonly quarantined?: readonly BadRow[];
}

const cases = readdirSync(corpus, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.expected.json') && !name.startsWith('parquet'))
  .sort();

test('the corpus exists', () => expect(cases.length).toBeGreaterThan(50));

test.each(cases)('%s', async (name) => {
  const expected = JSON.parse(readFileSync(join(corpus, name), 'utf8')) as Expected;
  const path = join(corpus, name, '..', expected.file);
  const scan = () => {
    const format = detectFormat(expected.file, readFileSync(path).subarray(0, 65_536));
    if (format.format === 'parquet') throw new Error('a Parquet file in the text corpus');
    return scanBytes(createReadStream(path, { highWaterMark: 1000 }), {
      kind: format.format,
      compression: format.compression,
    });
  };
  if (expected.rowsIn === undefined) {
    // Refused by the scan or by a later stage.
    const refusal = await (async () => scan())().then(
      () => undefined,
      (error: unknown) => error as Error & { code: string },
    );
    if (refusal === undefined) return;
    expect(refusal.code).toBe(expected.refusal!.code);
    for (const says of expected.refusal!.says)
      expect(refusal.message.toLowerCase()).toContain(says.toLowerCase());
    return;
  }
  const { bad, totals } = await scan();
  expect(totals.records).toBe(expected.rowsIn);
  const wanted = expected.quarantined!.filter(
    ({ code, column }) => codes.includes(code) && column === undefined,
  );
  const found = bad.filter(({ code }) => codes.includes(code));
  expect(found.map((row) => ({ ...row, reason: '' }))).toEqual(wanted.map((row) => ({ ...row, reason: '' })));
});
