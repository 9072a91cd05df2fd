import { posix } from 'node:path';
import { AppError } from '../../core/errors.ts';

/** MLflow's own limits, in code points. */
export const trackingLimits = {
  keyCharacters: 250,
  paramCharacters: 6_000,
  tagCharacters: 8_000,
  experimentNameCharacters: 500,
  experimentTagCharacters: 20_000,
  batchMetrics: 1_000,
  batchParams: 100,
  batchTags: 100,
  batchItems: 1_000,
} as const;

const keyPattern = /^[/\p{L}\p{N}_.\- :]*$/u;

/**
 * Keys of metrics, params and tags: some kinds of clients keep them as files.
 *
 * @param path where it stands in the request: `metrics[3].name`
 * @throws INVALID_ARGUMENT
 */
export function checkKey(key: string, path: string, what: string): void {
  if (!keyPattern.test(key))
    throw invalidValue(
      path,
      key,
      'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).',
    );
  const isOneName =
    !key.startsWith('..') && key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isOneName)
    throw invalidValue(
      path,
      key,
      `Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to '${resolveName(key)}'`,
    );
  checkLength(key, trackingLimits.keyCharacters, what);
}

function resolveName(key: string): string {
  const name = posix.normalize(key);
  return name.length > 1 && name.endsWith('/') ? name.slice(0, -1) : name;
}

/** @throws INVALID_ARGUMENT */
export function checkLength(text: string, maxCharacters: number, what: string): void {
  if (exceeds(text, maxCharacters))
    throw new AppError(
      'INVALID_ARGUMENT',
      `'${what}' exceeds the maximum length of ${maxCharacters} characters`,
      { maxCharacters },
    );
}

/** Cut to so many code points, never within one. */
export function truncate(text: string, maxCharacters: number): string {
  if (!exceeds(text, maxCharacters)) return text;
  let end = 0;
  for (let count = 0; count < maxCharacters; count += 1) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

function exceeds(text: string, maxCharacters: number): boolean {
  if (text.length <= maxCharacters) return false;
  if (text.length > 2 * maxCharacters) return true;
  let count = 0;
  for (const _ of text) count += 1;
  return count > maxCharacters;
}

/** In the words that MLflow's clients know. */
export function invalidValue(path: string, value: unknown, reason: string): AppError {
  const text = JSON.stringify(value) ?? 'null';
  const shown = text.length > 300 ? `${text.slice(0, 300)}...` : text;
  return new AppError(
    'INVALID_ARGUMENT',
    `Invalid value ${shown} for parameter '${path}' supplied: ${reason}`,
  );
}
