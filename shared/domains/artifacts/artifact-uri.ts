import { artifactHttpPath, artifactScheme } from '../../core/names/mlflow-names.ts';
import { readFolderPath } from './artifact-path.ts';
import { artifactErrors } from './errors.ts';

const ownUri = new RegExp(`^${artifactScheme}:(?://[^/]*)?/*(.*)$`, 's');

/**
 * The artifact path of a URI with the platform's scheme, or of the platform's HTTP address.
 *
 * @throws INVALID_ARGUMENT for artifacts that are stored elsewhere, and for an unsafe path
 */
export function readArtifactUri(uri: string): string {
  const path = findPath(uri);
  if (path !== undefined) return readFolderPath(path);
  throw artifactErrors.foreignUri({ uri });
}

/** Whether the platform stores the artifacts of a URI. */
export function isOwnArtifactUri(uri: string): boolean {
  return findPath(uri) !== undefined;
}

function findPath(uri: string): string | undefined {
  const own = ownUri.exec(uri);
  if (own) return own[1]!;
  if (!/^https?:\/\//.test(uri)) return undefined;
  const at = uri.indexOf(artifactHttpPath);
  return at === -1 ? undefined : uri.slice(at + artifactHttpPath.length).replace(/^\/+/, '');
}
