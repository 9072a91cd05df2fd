import { AppError } from '../../core/errors.ts';

const maxPathLength = 1_024;
const maxDecodings = 10;

/**
 * The path of a file among the artifacts, from what a caller sent: relative, with `/` between its parts, and as MLflow
 * has it: percent-encodings are undone until none is left, so that "a%20b" is the file "a b". Its clients do that to
 * every path that a listing tells them, and must find the file again. Folders called `.` are left out, because clients
 * that ask for the folder `.` go on to ask for what is in it.
 *
 * Nothing that could lead elsewhere on a caller's own disk is let in, because callers download to where the path says;
 * nor is `#`, over which those clients fail.
 *
 * @throws INVALID_ARGUMENT
 * @example
 * readFilePath('1/run/artifacts/my%2520model/MLmodel') // '1/run/artifacts/my model/MLmodel'
 */
export function readFilePath(given: string): string {
  const path = dropDots(decode(given));
  checkIsSafe(path);
  if (path === '') throw new AppError('INVALID_ARGUMENT', 'The path of an artifact is empty.');
  checkParts(path);
  return path;
}

/**
 * As `readFilePath`, for a folder: may be empty or `.`, which is all there is, and may end in slashes.
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

/** Puts a path below a folder's; either may be empty. */
export function joinPath(folder: string, path: string): string {
  return folder === '' || path === '' ? folder + path : `${folder}/${path}`;
}

/** The last part of a path of the caller's own machine, whatever its separators. */
export function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? '';
}

/** The words are MLflow's: its clients know them. */
function invalidPath(reason: string): AppError {
  return new AppError('INVALID_ARGUMENT', 'Invalid path', { reason });
}

/** Undoes percent-encodings until none is left; control characters that come to light are encoded again. */
function decode(given: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(given)) throw invalidPath('It has control characters.');
  let text = given;
  for (let times = 0; times < maxDecodings; times += 1) {
    const decoded = unquote(text);
    if (decoded === text) return encodeControls(text);
    text = decoded;
  }
  throw invalidPath('It is percent-encoded too many times.');
}

/** As lenient as MLflow's clients are: what is no percent-encoding is left alone, what is no UTF-8 is U+FFFD. */
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
  const problem = findDanger(path);
  if (problem !== undefined) throw invalidPath(problem);
}

function findDanger(path: string): string | undefined {
  if (path.startsWith('/')) return 'It is absolute.';
  if (/^[a-z]:(?:\/|$)/i.test(path)) return 'It begins with a drive letter.';
  if (/^file:/i.test(path)) return 'It is a URI.';
  if (path.includes('\\')) return 'It has a backslash.';
  if (path.includes('#')) return 'It has a number sign.';
  if (path.split('/').includes('..')) return 'It leads upwards.';
  return undefined;
}

/** `a/./b` is `a/b`. */
function dropDots(path: string): string {
  return path.replaceAll(/(^|\/)(?:\.\/+)+/g, '$1');
}

/** What Blob storage could not keep under this very name. */
function checkParts(path: string): void {
  if (path.length > maxPathLength)
    throw new AppError(
      'INVALID_ARGUMENT',
      `The path of an artifact has at most ${maxPathLength} characters.`,
    );
  const parts = path.split('/');
  if (parts.includes(''))
    throw new AppError('INVALID_ARGUMENT', 'The path of an artifact has an empty part.');
  if (parts.some((part) => part.endsWith('.')))
    throw new AppError('INVALID_ARGUMENT', 'No part of the path of an artifact ends in a dot.');
  if (!path.isWellFormed() || /[\u0080-\u009f\ufffe\uffff]/.test(path))
    throw new AppError('INVALID_ARGUMENT', 'The path of an artifact has characters that text has not.');
}
