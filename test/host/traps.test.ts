import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
const rows = readFileSync(join(repository, 'docs/local-host.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, trap, files] = /^\| (\d+) \|.*\|([^|]+)\|$/.exec(line) ?? [];
    return trap === undefined ? [] : [{ trap: Number(trap), files: files?.match(/[\w-]+\.test\.ts/g) ?? [] }];
  });

test('the table of traps in docs/local-host.md names them all', () => {
  expect(rows.map(({ trap }) => trap)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
  ]);
});

test.each(rows)('trap $trap has a test in each file of the table', ({ trap, files }) => {
  expect(files.length).toBeGreaterThan(0);
  for (const file of files)
    expect(readFileSync(join(repository, 'test/host', file), 'utf8'), file).toMatch(
      new RegExp(`['"\`(]trap ${trap}[: ]`),
    );
});
