import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DirtyCase, readDirtyCases, readDirtyText } from '../../support/datasets/dirty-corpus.ts';
import {
  type IngestBench,
  type IngestedFile,
  openIngestBench,
  type RefusedFile,
} from '../../support/datasets/dirty-ingest.ts';
import { largeCases } from '../../support/datasets/dirty-large.ts';
import { createFolder } from '../../support/stores.ts';

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

describe('what comes of a dirty file', () => {
  let bench: IngestBench;
  beforeAll(async () => {
    bench = await openIngestBench();
  });
  afterAll(() => bench.close());

  test.each(cases)('$name', (expected) => checkCase(bench, expected));

  test.each(largeCases)('$name', async ({ make }) => checkCase(bench, await make(createFolder())));
});

async function checkCase(bench: IngestBench, expected: DirtyCase): Promise<void> {
  const outcome = await bench.ingest(expected.file, expected.before);
  if (outcome.kind === 'refused') checkRefusal(outcome, expected);
  else await checkRows(outcome, expected);
}

function checkRefusal(outcome: RefusedFile, { refusal, rowsIn, quarantined }: DirtyCase): void {
  expect(outcome).toMatchObject({ code: refusal?.code ?? 'not refused at all', newCommits: 0 });
  for (const words of refusal?.says ?? [])
    expect(outcome.reason.toLowerCase()).toContain(words.toLowerCase());
  if (quarantined === undefined) return;
  expect(outcome.details).toMatchObject({ rowsIn, rowsBad: quarantined.length, examples: quarantined });
}

async function checkRows(outcome: IngestedFile, expected: DirtyCase): Promise<void> {
  expect(outcome.rowsIn).toBe(outcome.committed + outcome.quarantined.length);
  expect(outcome.rowsQuarantined).toBe(outcome.quarantined.length);
  expect(expected.refusal, `ingested: ${JSON.stringify(outcome.columns).slice(0, 500)}`).toBeUndefined();
  // The reason is for people, and worded freely, but it is there.
  const found = outcome.quarantined.map(({ reason, ...row }) => {
    expect(reason.length).toBeGreaterThan(10);
    return row;
  });
  expect(found).toEqual(expected.quarantined ?? []);
  expect({ rowsIn: outcome.rowsIn, committed: outcome.committed }).toEqual({
    rowsIn: expected.rowsIn,
    committed: expected.committed,
  });
  expect(outcome.columns.map(({ name }) => name)).toEqual(expected.columns?.map(({ name }) => name));
  for (const [index, { type, note }] of (expected.columns ?? []).entries()) {
    expect(outcome.columns[index]?.type).toMatch(toPattern(type));
    if (note !== undefined) expect(outcome.columns[index]?.note).toContain(note);
  }
  if (expected.values === undefined) return;
  const rows = await outcome.readRows();
  expect(rows).toHaveLength(outcome.committed);
  for (const { index, values } of expected.values)
    expect(rows[index]?.map(toNumeric)).toEqual(values.map(toNumeric));

  function toNumeric(value: string | null, column: number): unknown {
    return outcome.columns[column]?.type === 'double' && value !== null ? Number(value) : value;
  }
}

function toPattern(type: string): RegExp {
  return new RegExp(`^${type.replaceAll(/[()]/g, String.raw`\$&`).replace('*', String.raw`\d+`)}$`);
}
