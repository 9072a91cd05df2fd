import { expect, test } from 'vitest';
import { readFolderPath } from '../../../shared/artifacts/artifact-path.ts';

test.each([
  ['', ''],
  ['.', ''],
  ['./', ''],
  ['%2e', ''],
  ['a/.', 'a'],
  ['a//', 'a'],
  ['a/b.c', 'a/b.c'],
])('the folder %j is %j', (given, path) => {
  expect(readFolderPath(given)).toBe(path);
});

test.each(['..', './..', 'a/..', '%2e%2e', 'a/./b', 'a.', '/.', '/'])('%j is no folder', (given) => {
  expect(() => readFolderPath(given)).toThrow();
});
