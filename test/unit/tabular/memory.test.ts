import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

interface Outcome {
  readonly records: number;
  readonly bad: Readonly<Record<string, number>>;
  readonly refusal?: { readonly code: string; readonly message: string };
  readonly addedMib: number;
}

/** In a separate process, because the peak of this one includes other tests. */
async function scan(what: string): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    'test/support/tabular/memory-child.ts',
    what,
  ]);
  return JSON.parse(stdout) as Outcome;
}

test.each(['line', 'quoted'])('a 100 MB %s is one bad record, and is not kept in memory', async (what) => {
  const outcome = await scan(what);
  expect(outcome).toMatchObject({ records: 2, bad: { TOO_LONG: 1 } });
  expect(outcome.addedMib).toBeLessThan(100);
});

test('a quoted text of 27 MB in many lines is not kept in memory, either', async () => {
  const outcome = await scan('quotedLines');
  // The first line, and the last, which is a quote.
  expect(outcome.bad).toEqual({ UNTERMINATED_QUOTE: 2, RAGGED_ROW: 2_499_999 });
  expect(outcome.addedMib).toBeLessThan(100);
});

test('refuses a gzip bomb early', async () => {
  const outcome = await scan('bomb');
  expect(outcome.refusal).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  expect(outcome.refusal!.message).toMatch(/maxRatio/);
  expect(outcome.addedMib).toBeLessThan(100);
});
