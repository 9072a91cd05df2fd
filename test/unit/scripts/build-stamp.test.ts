import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { stampBuild } from '../../../scripts/build-stamp.ts';

let root: string;
const write = (file: string, text: string): void => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-stamp-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const file of ['functions/a.http.ts', 'shared/core/b.ts', 'local/c.ts', 'dist/shared/core/b.js'])
    write(file, '1;');
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
    write(file, '{}');
});

test('keeps the stamp of unchanged sources, whatever else is in the repository', () => {
  const stamp = stampBuild(root);
  write('docs/a.md', 'text');
  write('test/a.test.ts', '2;');
  write('dist/build.json', '{"commit":"another"}');
  write('dist/.stamp', stamp);
  // A checkout gives sources new times.
  utimesSync(join(root, 'shared/core/b.ts'), 1, 1);
  expect(stampBuild(root)).toBe(stamp);
});

test.each<[string, () => void]>([
  ['a source changes', () => write('shared/core/b.ts', '2;')],
  ['a source is added', () => write('shared/core/new.ts', '1;')],
  ['a source is removed', () => rmSync(join(root, 'local/c.ts'))],
  ['a source is renamed', () => (rmSync(join(root, 'local/c.ts')), write('local/d.ts', '1;'))],
  [
    'text moves from one source to the next',
    () => (write('local/c.ts', '1'), write('shared/core/b.ts', ';1;')),
  ],
  ['a dependency changes', () => write('package-lock.json', '{ }')],
  ['the compiler options change', () => write('tsconfig.build.json', '{ }')],
  ['a setting is removed', () => rmSync(join(root, 'tsconfig.json'))],
  ['an output is edited', () => write('dist/shared/core/b.js', '2;;')],
  ['an output is removed', () => rmSync(join(root, 'dist/shared/core/b.js'))],
  ['an output is added', () => write('dist/functions/old.js', '1;')],
])('another stamp when %s', (_what, change) => {
  const stamp = stampBuild(root);
  change();
  expect(stampBuild(root)).not.toBe(stamp);
});

test('changes the stamp for a new content of equal size and time', () => {
  const stamp = stampBuild(root);
  const file = join(root, 'shared/core/b.ts');
  const { atime, mtime } = statSync(file);
  write('shared/core/b.ts', '2;');
  utimesSync(file, atime, mtime);
  expect(stampBuild(root)).not.toBe(stamp);
});
