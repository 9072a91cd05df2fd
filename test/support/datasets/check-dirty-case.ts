import { expect } from 'vitest';
import type { DirtyCase } from './dirty-corpus.ts';
import type { IngestBench, IngestedFile, RefusedFile } from './dirty-ingest.ts';

/** Ingests a case and compares the outcome with its `.expected.json`. */
export async function checkDirtyCase(bench: IngestBench, expected: DirtyCase): Promise<void> {
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
  // The wording of the reason may change, but there must be one.
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
