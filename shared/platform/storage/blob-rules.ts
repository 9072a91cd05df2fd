import { AppError } from '../../core/errors.ts';
import type { BlobRef, OpenOptions, PutOptions } from './blobs.ts';

/**
 * What Blob storage accepts, checked before anything is sent: some of it the service would refuse late (after
 * gigabytes of blocks), and some the URL on the way to it would silently turn into another name.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
 */

const containerName = /^(?:\$root|\$web|\$logs|(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*)$/;
const metadataName = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Visible ASCII with spaces inside: the signature of a request is made over trimmed values. */
const metadataValue = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
const maxNameLength = 1024;
const maxPageSize = 5_000;

/** @throws INVALID_ARGUMENT for a name that is no container's */
export function checkContainerName(name: string): void {
  if (containerName.test(name)) return;
  throw new AppError(
    'INVALID_ARGUMENT',
    'A container name is 3–63 lower-case letters, digits and single hyphens between them.',
    { container: name },
  );
}

/** @throws INVALID_ARGUMENT for a name the service refuses, or that would reach it as another one */
export function checkBlobRef(ref: BlobRef): void {
  checkContainerName(ref.container);
  const problem = findNameProblem(ref.name);
  if (problem === undefined) return;
  throw new AppError('INVALID_ARGUMENT', `A blob name ${problem}.`, { ...ref });
}

function findNameProblem(name: string): string | undefined {
  if (name.length === 0 || name.length > maxNameLength) return `has 1–${maxNameLength} characters`;
  if (!name.isWellFormed()) return 'is well-formed Unicode';
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(name)) return 'has no control characters';
  // URLs read a backslash as a slash.
  if (name.includes('\\')) return 'has no backslash';
  if (name.startsWith('/')) return 'does not start with a slash';
  // URLs resolve "." and ".." away: "a/../../b" would be a blob of another container. The service drops trailing dots.
  if (name.split('/').some((segment) => segment.endsWith('.'))) return 'has no path segment ending in a dot';
  if (name.endsWith('/')) return 'does not end with a slash';
  return undefined;
}

/** @throws INVALID_ARGUMENT for metadata or conditions the service refuses */
export function checkPutOptions(options: PutOptions): void {
  if (options.ifAbsent === true && options.ifMatch !== undefined) {
    throw new AppError('INVALID_ARGUMENT', 'A write is either only-if-absent or only-over-an-ETag.');
  }
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(options.metadata ?? {})) {
    if (!metadataName.test(name) || seen.has(name.toLowerCase()) || name.toLowerCase() === writeMarkerName) {
      throw new AppError(
        'INVALID_ARGUMENT',
        'Metadata names are distinct identifiers, whatever their case.',
        {
          metadata: name,
        },
      );
    }
    if (!metadataValue.test(value)) {
      throw new AppError('INVALID_ARGUMENT', 'Metadata values are ASCII, without spaces at either end.', {
        metadata: name,
      });
    }
    seen.add(name.toLowerCase());
  }
}

/** @throws INVALID_ARGUMENT for a range that is not whole numbers, starts below 0 or is empty */
export function checkRange(range: OpenOptions['range']): void {
  if (range === undefined) return;
  const { offset, count = 1 } = range;
  if (Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(count) && count >= 1) return;
  throw new AppError('INVALID_ARGUMENT', 'A range is an offset from 0 and a count from 1.', { ...range });
}

/** @throws INVALID_ARGUMENT outside 1–5,000 */
export function checkPageLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxPageSize) return;
  throw new AppError('INVALID_ARGUMENT', `A page has 1–${maxPageSize} blobs.`, { limit });
}

/** @throws INVALID_ARGUMENT for a prefix that is no folder's */
export function checkFolderPrefix(prefix: string): void {
  if (prefix === '' || prefix.endsWith('/')) return;
  throw new AppError('INVALID_ARGUMENT', "A folder's prefix ends in a slash.", { prefix });
}

/** Of a user delegation key; URLs signed by an account key could live longer, and should not. */
export const maxPresignMs = 7 * 24 * 3_600_000;

/** @throws INVALID_ARGUMENT for a time that is past, or over 7 days away */
export function checkExpiry(expiresAt: number, now: number): void {
  if (expiresAt > now && expiresAt <= now + maxPresignMs) return;
  throw new AppError('INVALID_ARGUMENT', 'A URL expires in the future, at most 7 days from now.', {
    expiresAt,
  });
}

/** @throws INVALID_ARGUMENT for ids that are empty, over 64 bytes or of different lengths */
export function checkBlockIds(blockIds: readonly string[]): void {
  const lengths = new Set(blockIds.map((id) => Buffer.byteLength(id)));
  if (lengths.size <= 1 && [...lengths].every((length) => length >= 1 && length <= 64)) return;
  throw new AppError('INVALID_ARGUMENT', 'The block ids of one blob are of one length, 1–64 bytes.');
}

/** @throws INVALID_ARGUMENT unless 15–60 whole seconds: a lease without an end outlives a killed holder */
export function checkLeaseDuration(durationSeconds: number): void {
  if (Number.isInteger(durationSeconds) && durationSeconds >= 15 && durationSeconds <= 60) return;
  throw new AppError('INVALID_ARGUMENT', 'A lease lasts 15–60 seconds.', { durationSeconds });
}

/**
 * Metadata under which a conditional write signs itself, so that a retry whose first try had succeeded unheard
 * recognises its own work. Never shown to callers.
 */
export const writeMarkerName = 'slipway_write';
