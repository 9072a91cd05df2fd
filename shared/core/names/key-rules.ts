import { posix } from 'node:path';

const characters = /^[/\p{L}\p{N}_.\- :]*$/u;

/**
 * Finds the problem of a key of a metric, param or tag. Some clients store keys as file paths, so a key must be a
 * normalized relative path.
 *
 * @returns undefined for a valid key
 * @see https://github.com/mlflow/mlflow/blob/master/mlflow/utils/validation.py
 * @example
 * findKeyProblem('val/loss (%)') // 'characters'
 * findKeyProblem('val//loss') // 'path'
 * findKeyProblem('val/loss') // undefined
 */
export function findKeyProblem(key: string): 'characters' | 'path' | undefined {
  if (!characters.test(key)) return 'characters';
  if (key.startsWith('..') || key.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'path';
  return undefined;
}

/**
 * Normalizes a key as a path.
 *
 * @example
 * normalizeKey('a//b/../c/') // 'a/c'
 */
export function normalizeKey(key: string): string {
  const path = posix.normalize(key);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
