import { AppError } from '../core/errors.ts';

const maxPathLength = 1_024;
const maxDecodings = 10;

/**
 * The path of a file among the artifacts, from what a caller sent: relative, with `/` between its parts. Taken as it
 * is: "a%20b" names another file than "a b". But nothing that could lead elsewhere on the caller's own disk is let in,
 * however often it was percent-encoded, because callers download to where the path says.
 *
 * @throws INVALID_ARGUMENT
 * @example
 * readFilePath('1/run/artifacts/model/MLmodel') // the same
 * readFilePath('a/%252e%252e/b')                // throws: Invalid path
 */
export function readFilePath(given: string): string {
  checkIsSafe(given);
  if (given === '') throw new AppError('INVALID_ARGUMENT', 'The path of an artifact is empty.');
  checkParts(given);
  return given;
}

/**
 * As `readFilePath`, for a folder: may be empty, which is all there is, and may end in slashes.
 *
 * @throws INVALID_ARGUMENT
 */
export function readFolderPath(given: string): string {
  checkIsSafe(given);
  const path = given.replace(/\/+$/, '');
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

function checkIsSafe(given: string): void {
  let text = given;
  for (let times = 0; times < maxDecodings; times += 1) {
    const problem = findDanger(text);
    if (problem !== undefined) throw invalidPath(problem);
    const decoded = unquote(text);
    if (decoded === text) return;
    text = decoded;
  }
  throw invalidPath('It is percent-encoded too many times.');
}

function findDanger(text: string): string | undefined {
  if (text.startsWith('/')) return 'It is absolute.';
  if (/^[a-z]:(?:\/|$)/i.test(text)) return 'It begins with a drive letter.';
  if (/^file:/i.test(text)) return 'It is a URI.';
  if (text.includes('\\')) return 'It has a backslash.';
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return 'It has control characters.';
  if (text.split('/').includes('..')) return 'It leads upwards.';
  return undefined;
}

/** As lenient as those decoders that a caller may have: what is no percent-encoding is left alone. */
function unquote(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
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
  if (!path.isWellFormed() || /[\ufffe\uffff]/.test(path))
    throw new AppError('INVALID_ARGUMENT', 'The path of an artifact is not well-formed Unicode.');
}
