import { AppError } from '../../core/errors.ts';
import type { BlobRef, OpenOptions, PutOptions } from './blobs.ts';

/**
 * The rules of Blob storage, checked before a request: the service would reject some input late (after gigabytes of
 * blocks), and URLs would silently change some names.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
 */

const containerName = /^(?:\$root|\$web|\$logs|(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*)$/;
const metadataName = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Visible ASCII with inner spaces only: requests are signed over trimmed values. */
const metadataValue = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
const maxNameLength = 1024;
const maxPageSize = 5_000;

/** @throws INVALID_ARGUMENT for an invalid container name */
export function checkContainerName(name: string): void {
  if (containerName.test(name)) return;
  throw new AppError(
    'INVALID_ARGUMENT',
    'A container name must have 3–63 lower-case letters, digits and single hyphens between them.',
    { container: name },
  );
}

/** @throws INVALID_ARGUMENT for a name that the service rejects or a URL changes */
export function checkBlobRef(ref: BlobRef): void {
  checkContainerName(ref.container);
  const problem = findNameProblem(ref.name);
  if (problem === undefined) return;
  throw new AppError('INVALID_ARGUMENT', `A blob name must ${problem}.`, { ...ref });
}

function findNameProblem(name: string): string | undefined {
  if (name.length === 0 || name.length > maxNameLength) return `have 1–${maxNameLength} characters`;
  if (!name.isWellFormed()) return 'be well-formed Unicode';
  // oxlint-disable-next-line no-control-regex -- matches control characters
  if (/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(name)) return 'contain no control characters';
  // URLs read a backslash as a slash.
  if (name.includes('\\')) return 'contain no backslash';
  if (name.startsWith('/')) return 'not start with a slash';
  // URLs resolve "." and "..": "a/../../b" would be a blob of another container. The service drops trailing dots.
  if (name.split('/').some((segment) => segment.endsWith('.')))
    return 'have no path segment that ends with a dot';
  if (name.endsWith('/')) return 'not end with a slash';
  return undefined;
}

/** @throws INVALID_ARGUMENT for metadata or conditions that the service rejects */
export function checkPutOptions(options: PutOptions): void {
  if (options.ifAbsent === true && options.ifMatch !== undefined) {
    throw new AppError('INVALID_ARGUMENT', 'ifAbsent and ifMatch exclude each other.');
  }
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(options.metadata ?? {})) {
    if (!metadataName.test(name) || seen.has(name.toLowerCase()) || name.toLowerCase() === writeMarkerName) {
      throw new AppError(
        'INVALID_ARGUMENT',
        'Metadata names must be identifiers that differ in more than case.',
        {
          metadata: name,
        },
      );
    }
    if (!metadataValue.test(value)) {
      throw new AppError(
        'INVALID_ARGUMENT',
        'Metadata values must be ASCII without leading or trailing spaces.',
        {
          metadata: name,
        },
      );
    }
    seen.add(name.toLowerCase());
  }
}

/** @throws INVALID_ARGUMENT unless offset and count are integers from 0 and 1 */
export function checkRange(range: OpenOptions['range']): void {
  if (range === undefined) return;
  const { offset, count = 1 } = range;
  if (Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(count) && count >= 1) return;
  throw new AppError('INVALID_ARGUMENT', 'A range needs an offset of at least 0 and a count of at least 1.', {
    ...range,
  });
}

/** @throws INVALID_ARGUMENT outside 1–5,000 */
export function checkPageLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxPageSize) return;
  throw new AppError('INVALID_ARGUMENT', `limit must be an integer from 1 to ${maxPageSize}.`, { limit });
}

/** @throws INVALID_ARGUMENT for a prefix that neither is empty nor ends with a slash */
export function checkFolderPrefix(prefix: string): void {
  if (prefix === '' || prefix.endsWith('/')) return;
  throw new AppError('INVALID_ARGUMENT', 'The prefix of a folder must end with a slash.', { prefix });
}

/** The limit of user delegation keys, applied to account keys too. */
export const maxPresignMs = 7 * 24 * 3_600_000;

/** @throws INVALID_ARGUMENT for a time in the past or more than 7 days ahead */
export function checkExpiry(expiresAt: number, now: number): void {
  if (expiresAt > now && expiresAt <= now + maxPresignMs) return;
  throw new AppError('INVALID_ARGUMENT', 'expiresAt must be in the future, at most 7 days from now.', {
    expiresAt,
  });
}

/** @throws INVALID_ARGUMENT for ids that are empty, longer than 64 bytes or of different lengths */
export function checkBlockIds(blockIds: readonly string[]): void {
  const lengths = new Set(blockIds.map((id) => Buffer.byteLength(id)));
  if (lengths.size <= 1 && [...lengths].every((length) => length >= 1 && length <= 64)) return;
  throw new AppError('INVALID_ARGUMENT', 'The block ids of a blob must have the same length, 1–64 bytes.');
}

/** @throws INVALID_ARGUMENT unless an integer from 15 to 60: an infinite lease outlives a killed holder */
export function checkLeaseDuration(durationSeconds: number): void {
  if (Number.isInteger(durationSeconds) && durationSeconds >= 15 && durationSeconds <= 60) return;
  throw new AppError('INVALID_ARGUMENT', 'A lease must last 15–60 seconds.', { durationSeconds });
}

/**
 * The metadata name of the mark by which a conditional write recognizes its own success when the answer was lost.
 * Hidden from callers.
 */
export const writeMarkerName = 'slipway_write';
