import { defineErrors, errorKind } from '../../core/error-kinds.ts';

const dangers = {
  absolute: 'it is absolute',
  driveLetter: 'it begins with a drive letter',
  fileUri: 'it is a file URI',
  backslash: 'it contains a backslash',
  numberSign: 'it contains "#"',
  upwards: 'it contains ".."',
  controls: 'it contains control characters',
  encodedTooOften: 'it is percent-encoded too many times',
} as const;
export type PathDanger = keyof typeof dangers;

const defects = {
  empty: 'it is empty',
  tooLong: 'it is too long',
  emptySegment: 'it contains an empty segment',
  dotSegment: 'a segment ends in a dot',
  notText: 'it contains code points that are not characters',
} as const;
export type PathDefect = keyof typeof defects;

const accesses = {
  multipartUpload: 'Multipart upload',
  download: 'Presigned download',
  upload: 'Presigned upload',
} as const;
export type SignedAccessKind = keyof typeof accesses;

const invalid = <Facts extends object>(describe: (facts: Facts) => string) =>
  errorKind('INVALID_ARGUMENT', describe);

/** How the operations on artifacts can fail. */
export const artifactErrors = defineErrors({
  pathUnsafe: invalid(
    ({ danger }: { readonly danger: PathDanger }) => `Unsafe artifact path: ${dangers[danger]}.`,
  ),
  pathNotStorable: invalid(
    ({ defect }: { readonly defect: PathDefect }) => `Invalid artifact path: ${defects[defect]}.`,
  ),
  isFolder: invalid(
    ({ path }: { readonly path: string }) => `The artifact "${path}" is a folder, not a file.`,
  ),
  artifactMissing: errorKind(
    'NOT_FOUND',
    ({ path }: { readonly path: string }) => `There is no artifact "${path}".`,
  ),
  folderTooLarge: invalid(
    ({ folder, limit }: { readonly folder: string; readonly limit: number }) =>
      `The folder "${folder}" has more than ${limit} entries: list it page by page.`,
  ),
  removesEverything: invalid(() => 'Name the artifacts to delete: the path is empty.'),
  foreignUri: invalid(
    ({ uri }: { readonly uri: string }) => `The platform does not store the artifacts of "${uri}".`,
  ),
  signedAccessUnavailable: errorKind(
    'NOT_IMPLEMENTED',
    ({ access }: { readonly access: SignedAccessKind }) =>
      `${accesses[access]} is not available on this platform: send the file to the platform itself.`,
  ),
  partCountOutOfRange: invalid(
    ({ partCount, limit }: { readonly partCount: number; readonly limit: number }) =>
      `An upload has 1 to ${limit} parts, not ${partCount}: use larger parts.`,
  ),
  partNumbersInvalid: invalid(
    ({ limit }: { readonly limit: number }) => `Part numbers must be distinct, from 1 to ${limit}.`,
  ),
  uploadIdInvalid: invalid(
    ({ uploadId }: { readonly uploadId: string }) =>
      `Invalid upload id "${uploadId}": this server did not issue it.`,
  ),
  partsMissing: invalid(
    () =>
      'Parts of the upload are missing: they were not sent, or a concurrent upload to the same path won. Upload the file again.',
  ),
});
