import { AppError } from '../../core/errors.ts';
import { readFolderPath } from './artifact-path.ts';

/** In an address of the platform, what stands before the path of an artifact. */
const httpAnchor = '/api/2.0/mlflow-artifacts/artifacts';

/**
 * The path that a URI means: of `mlflow-artifacts:/…`, or of the platform's own address with that path.
 *
 * @throws INVALID_ARGUMENT for artifacts that are kept elsewhere, and for an unsafe path
 */
export function readArtifactUri(uri: string): string {
  const path = findPath(uri);
  if (path !== undefined) return readFolderPath(path);
  throw new AppError('INVALID_ARGUMENT', `These artifacts are not kept by this platform: "${uri}".`, { uri });
}

/** Whether a URI says that the platform keeps the artifacts. */
export function isOwnArtifactUri(uri: string): boolean {
  return findPath(uri) !== undefined;
}

function findPath(uri: string): string | undefined {
  const own = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/s.exec(uri);
  if (own) return own[1]!;
  if (!/^https?:\/\//.test(uri)) return undefined;
  const at = uri.indexOf(httpAnchor);
  return at === -1 ? undefined : uri.slice(at + httpAnchor.length).replace(/^\/+/, '');
}
