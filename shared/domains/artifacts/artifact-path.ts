import { artifactErrors, type PathDanger, type PathDefect } from './errors.ts';

const maxPathLength = 1_024;
const maxDecodings = 10;

/**
 * Normalizes the path of an artifact file as sent by a caller: relative, with `/` between segments. Decodes
 * percent-encodings until none is left, so that "a%20b" is the file "a b": clients decode the paths of a listing and
 * must find the files again. Drops `.` segments, because clients that list the folder `.` request what is in it.
 *
 * Refuses paths that lead elsewhere on a caller's disk, because callers download to where the path says, and `#`, which
 * those clients cannot handle.
 *
 * @throws INVALID_ARGUMENT
 * @see https://github.com/mlflow/mlflow/blob/master/mlflow/utils/uri.py (validate_path_is_safe)
 * @example
 * readFilePath('1/run/artifacts/my%2520model/MLmodel') // '1/run/artifacts/my model/MLmodel'
 */
export function readFilePath(given: string): string {
  const path = dropDots(decode(given));
  checkIsSafe(path);
  if (path === '') throw notStorable('empty');
  checkParts(path);
  return path;
}

/**
 * As `readFilePath`, for a folder: may be empty or `.`, for the root, and may end in slashes.
 *
 * @throws INVALID_ARGUMENT
 */
export function readFolderPath(given: string): string {
  const whole = dropDots(decode(given));
  checkIsSafe(whole);
  const path = whole.replace(/(?:^|\/+)\.?\/*$/, '');
  if (path !== '') checkParts(path);
  return path;
}

/** Appends a path to a folder; either may be empty. */
export function joinPath(folder: string, path: string): string {
  return folder === '' || path === '' ? folder + path : `${folder}/${path}`;
}

/** The last segment of a path on the caller's machine, with either separator. */
export function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? '';
}

function unsafe(danger: PathDanger) {
  return artifactErrors.pathUnsafe({ danger });
}

function notStorable(defect: PathDefect) {
  return artifactErrors.pathNotStorable({ defect });
}

/** Decodes percent-encodings until none is left; encodes control characters that appear again. */
function decode(given: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(given)) throw unsafe('controls');
  let text = given;
  for (let times = 0; times < maxDecodings; times += 1) {
    const decoded = unquote(text);
    if (decoded === text) return encodeControls(text);
    text = decoded;
  }
  throw unsafe('encodedTooOften');
}

/** Lenient, as Python's `unquote`: keeps invalid percent-encodings, replaces invalid UTF-8 by U+FFFD. */
function unquote(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

function encodeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function checkIsSafe(path: string): void {
  const danger = findDanger(path);
  if (danger !== undefined) throw unsafe(danger);
}

function findDanger(path: string): PathDanger | undefined {
  if (path.startsWith('/')) return 'absolute';
  if (/^[a-z]:(?:\/|$)/i.test(path)) return 'driveLetter';
  if (/^file:/i.test(path)) return 'fileUri';
  if (path.includes('\\')) return 'backslash';
  if (path.includes('#')) return 'numberSign';
  if (path.split('/').includes('..')) return 'upwards';
  return undefined;
}

/** `a/./b` is `a/b`. */
function dropDots(path: string): string {
  return path.replaceAll(/(^|\/)(?:\.\/+)+/g, '$1');
}

/** Refuses names that Blob storage would change or reject. */
function checkParts(path: string): void {
  if (path.length > maxPathLength) throw notStorable('tooLong');
  const parts = path.split('/');
  if (parts.includes('')) throw notStorable('emptySegment');
  if (parts.some((part) => part.endsWith('.'))) throw notStorable('dotSegment');
  if (!path.isWellFormed() || /[\u0080-\u009f\ufffe\uffff]/.test(path)) throw notStorable('notText');
}
