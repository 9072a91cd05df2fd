import { expect, test } from 'vitest';
import { readFilePath, readFolderPath } from '../../../shared/domains/artifacts/artifact-path.ts';

test.each([
  ['', ''],
  ['.', ''],
  ['./', ''],
  ['%2e', ''],
  ['a/.', 'a'],
  ['a//', 'a'],
  ['a/b.c', 'a/b.c'],
  ['a/./b', 'a/b'],
  ['././a/././/b/./', 'a/b'],
  ['a./b', undefined],
])('the folder %j is %j', (given, path) => {
  if (path === undefined) expect(() => readFolderPath(given)).toThrow(/path/i);
  else expect(readFolderPath(given)).toBe(path);
});

test.each(['..', './..', 'a/..', '%2e%2e', './/..', 'a.', '/.', '/'])('refuses the folder %j', (given) => {
  expect(() => readFolderPath(given)).toThrow(/path/i);
});

test('refuses a folder as the path of a file', () => {
  expect(readFilePath('./a/./b.txt')).toBe('a/b.txt');
  for (const given of ['.', './', 'a/.', 'a/', './..', 'a/./../b', './c:/x', './/file:x', '/./x'])
    expect(() => readFilePath(given)).toThrow(/path/i);
});
