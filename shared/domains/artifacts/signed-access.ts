import type { Clock } from '../../core/clock.ts';
import { isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import type { BlobBlocks, BlobSigner } from '../../platform/storage/blobs.ts';
import { type ArtifactStore, toRef } from './artifact-store.ts';
import { guessContentType } from './content-type.ts';
import { artifactErrors, type SignedAccessKind } from './errors.ts';

/** Of one upload: 97 GiB with the usual parts of 10 MiB. Longer lists would not fit into a request. */
export const maxParts = 10_000;

/** Long enough for the largest upload over a slow connection. */
const uploadUrlMs = 6 * 3_600_000;
const downloadUrlMs = 3_600_000;

export interface StartedUpload {
  readonly uploadId: string;
  /** The URLs to PUT the parts to, in order. */
  readonly urls: readonly string[];
}

export interface SignedDownload {
  readonly url: string;
  readonly sizeBytes: number;
}

export interface SignedAccessDeps {
  readonly blobs: BlobSigner & BlobBlocks;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly ids: Ids;
  /** False when callers cannot reach the storage account. */
  readonly isEnabled: boolean;
}

/** Issues signed URLs, by which callers transfer bytes to and from the storage account directly. */
export class SignedAccess {
  readonly #deps: SignedAccessDeps;

  constructor(deps: SignedAccessDeps) {
    this.#deps = deps;
  }

  get isEnabled(): boolean {
    return this.#deps.isEnabled;
  }

  /**
   * Starts a multipart upload. The file appears with `completeUpload`; the storage account deletes the parts of an
   * incomplete upload after a week.
   *
   * @throws INVALID_ARGUMENT outside 1–10,000 parts; NOT_IMPLEMENTED
   */
  async startUpload(path: string, partCount: number): Promise<StartedUpload> {
    this.#checkEnabled('multipartUpload');
    if (!Number.isInteger(partCount) || partCount < 1 || partCount > maxParts)
      throw artifactErrors.partCountOutOfRange({ partCount, limit: maxParts });
    const uploadId = this.#deps.ids.uuid();
    const blockIds = Array.from({ length: partCount }, (_, index) => toBlockId(uploadId, index + 1));
    const expiresAt = this.#deps.clock.now() + uploadUrlMs;
    try {
      const urls = await this.#deps.blobs.presignBlocks(toRef(path), blockIds, { expiresAt });
      return { uploadId, urls };
    } catch (error) {
      if (!isAppError(error, 'NOT_IMPLEMENTED')) throw error;
      throw artifactErrors.signedAccessUnavailable({ access: 'multipartUpload' }, error);
    }
  }

  /**
   * Assembles the file from its parts, in the order of their numbers. Idempotent.
   *
   * @throws INVALID_ARGUMENT for missing parts, or an unknown upload
   */
  async completeUpload(path: string, uploadId: string, partNumbers: readonly number[]): Promise<void> {
    if (!/^[0-9a-f-]{36}$/.test(uploadId)) throw artifactErrors.uploadIdInvalid({ uploadId });
    const numbers = [...new Set(partNumbers)].sort((a, b) => a - b);
    const isKnown = (number: number) => Number.isInteger(number) && number >= 1 && number <= maxParts;
    if (numbers.length === 0 || numbers.length !== partNumbers.length || !numbers.every(isKnown))
      throw artifactErrors.partNumbersInvalid({ limit: maxParts });
    const blockIds = numbers.map((number) => toBlockId(uploadId, number));
    try {
      await this.#deps.blobs.commitBlocks(toRef(path), blockIds, { contentType: guessContentType(path) });
    } catch (error) {
      if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
      throw artifactErrors.partsMissing({}, error);
    }
  }

  /** Signs a URL that downloads a file. @throws NOT_FOUND; INVALID_ARGUMENT for a folder; NOT_IMPLEMENTED */
  async signDownload(path: string, lifetimeMs = downloadUrlMs): Promise<SignedDownload> {
    this.#checkEnabled('download');
    const { blobs, artifacts, clock } = this.#deps;
    const found = await artifacts.find(path);
    if (found === undefined) throw await artifacts.explainMissing(path);
    const url = await blobs.presign(found.ref, {
      access: 'read',
      expiresAt: clock.now() + lifetimeMs,
      contentType: guessContentType(path),
      contentDisposition: 'attachment',
    });
    return { url, sizeBytes: found.sizeBytes };
  }

  /** Signs a URL that takes a whole file by PUT. @throws NOT_IMPLEMENTED */
  async signUpload(path: string, lifetimeMs: number): Promise<string> {
    this.#checkEnabled('upload');
    const expiresAt = this.#deps.clock.now() + lifetimeMs;
    return this.#deps.blobs.presign(toRef(path), { access: 'write', expiresAt });
  }

  #checkEnabled(access: SignedAccessKind): void {
    if (!this.isEnabled) throw artifactErrors.signedAccessUnavailable({ access });
  }
}

/** Ids of equal length that include the upload, so that parts of two uploads to one path never mix. */
function toBlockId(uploadId: string, partNumber: number): string {
  return `${uploadId}-${String(partNumber).padStart(5, '0')}`;
}
