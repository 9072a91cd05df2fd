import type { ErrorWordings } from '../../../core/error-kinds.ts';
import type { artifactErrors, SignedAccessKind } from '../../../domains/artifacts/errors.ts';

/** Clients send the file to the server itself when they read this. */
const unsupported = {
  multipartUpload: 'Multipart upload',
  download: 'Presigned download',
  upload: 'Presigned upload',
} as const satisfies Record<SignedAccessKind, string>;

export const artifactWordings: ErrorWordings<typeof artifactErrors> = {
  pathUnsafe: () => 'Invalid path',
  isFolder: ({ path }) => `Artifact path refers to a directory, not a file: '${path}'`,
  artifactMissing: ({ path }) => `No such artifact: '${path}'`,
  folderTooLarge: ({ folder, limit }) =>
    `The folder '${folder}' has more than ${limit} entries: list it page by page (artifacts/list with page_token).`,
  signedAccessUnavailable: ({ access }) =>
    `${unsupported[access]} is not supported for the current artifact repository`,
};
