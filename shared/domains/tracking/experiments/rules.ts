import type { Tag } from '../entities.ts';
import { trackingErrors } from '../errors.ts';
import { checkKey, checkLength, trackingLimits } from '../limits.ts';

/** @throws INVALID_ARGUMENT */
export function checkExperimentName(name: string): void {
  if (name === '') throw trackingErrors.experimentNameEmpty();
  if (!name.isWellFormed()) throw trackingErrors.experimentNameNotUnicode();
  checkLength(name, trackingLimits.experimentNameCharacters, { of: 'experiment', member: 'name' });
}

/** @throws INVALID_ARGUMENT */
export function checkExperimentTag({ key, value }: Tag): void {
  checkKey(key, { of: 'experimentTag', member: 'key' });
  checkLength(value, trackingLimits.experimentTagCharacters, { of: 'experimentTag', member: 'value' });
}

const maxLocationCharacters = 2_048;

/**
 * Checks where an experiment stores artifacts. Runs append path segments to it, so it must end in a path; a relative
 * location, or one inside a run, would mean another place for each run.
 *
 * @throws INVALID_ARGUMENT
 */
export function checkArtifactLocation(location: string): void {
  checkLength(location, maxLocationCharacters, { of: 'experiment', member: 'artifactLocation' });
  const problem = findProblem(location);
  if (problem !== undefined) throw trackingErrors.artifactLocationInvalid({ location, problem });
}

function findProblem(location: string): 'runUri' | 'query' | 'dots' | undefined {
  if (/^runs:/i.test(location)) return 'runUri';
  if (/[?#]/.test(location)) return 'query';
  return hasDotSegment(location) ? 'dots' : undefined;
}

function hasDotSegment(location: string): boolean {
  let text = location;
  // Dots can be percent-encoded several times.
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
