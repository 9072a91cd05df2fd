import { AppError } from '../../../core/errors.ts';
import type { Tag } from '../entities.ts';
import { checkKey, checkLength, trackingLimits } from '../limits.ts';

/** @throws INVALID_ARGUMENT */
export function checkName(name: string): void {
  if (name === '') throw new AppError('INVALID_ARGUMENT', "Invalid experiment name: ''");
  if (!name.isWellFormed())
    throw new AppError('INVALID_ARGUMENT', 'Invalid experiment name: it is not well-formed Unicode.');
  checkLength(name, trackingLimits.experimentNameCharacters, 'name');
}

/** @throws INVALID_ARGUMENT */
export function checkTag({ key, value }: Tag): void {
  checkKey(key, 'key', 'key');
  checkLength(value, trackingLimits.experimentTagCharacters, 'value');
}

/**
 * A run's artifact URI is the location with names appended, so nothing may follow the path; and a location inside a
 * run, or beside its root, would lead elsewhere each time.
 *
 * @throws INVALID_ARGUMENT
 */
export function checkArtifactLocation(location: string): void {
  const refuse = (reason: string) => {
    throw new AppError(
      'INVALID_ARGUMENT',
      `Invalid artifact_location ${JSON.stringify(location)}: ${reason}`,
    );
  };
  checkLength(location, 2_048, 'artifact_location');
  if (/^runs:/i.test(location)) refuse('it cannot be a runs:/ URI.');
  if (/[?#]/.test(location)) refuse('it cannot have a query or a fragment.');
  if (hasDotSegment(location)) refuse('its path cannot have "." or ".." in it.');
}

function hasDotSegment(location: string): boolean {
  let text = location;
  // An encoded dot stays one after being encoded again.
  for (let times = 0; times < 5; times += 1) {
    if (text.split(/[/\\]/).some((part) => part === '..')) return true;
    try {
      const decoded = decodeURIComponent(text);
      if (decoded === text) return false;
      text = decoded;
    } catch {
      return false;
    }
  }
  return true;
}
