import { findKeyProblem, normalizeKey } from '../../core/names/key-rules.ts';
import { type Place, trackingErrors } from './errors.ts';

/** In code points. They are MLflow's, so that what its servers accept is accepted here. */
export const trackingLimits = {
  keyCharacters: 250,
  paramCharacters: 6_000,
  tagCharacters: 8_000,
  runNameCharacters: 8_000,
  experimentNameCharacters: 500,
  experimentTagCharacters: 20_000,
  batchMetrics: 1_000,
  batchParams: 100,
  batchTags: 100,
  batchItems: 1_000,
} as const;

/** Checks the key of a metric, param or tag. @throws INVALID_ARGUMENT */
export function checkKey(key: string, place: Place): void {
  const problem = findKeyProblem(key);
  if (problem === 'characters') throw trackingErrors.keyHasBadCharacters({ place, key });
  if (problem === 'path') throw trackingErrors.keyIsPath({ place, key, path: normalizeKey(key) });
  checkLength(key, trackingLimits.keyCharacters, place);
}

/** @throws INVALID_ARGUMENT */
export function checkLength(text: string, maxCharacters: number, place: Place): void {
  if (exceeds(text, maxCharacters)) throw trackingErrors.textTooLong({ place, maxCharacters });
}

/** Cuts a text to a number of code points. */
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
