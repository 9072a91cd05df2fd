import type { Clock } from '../../core/clock.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import type { BlobStore } from '../../platform/storage/blobs.ts';
import { type ArtifactStore, toRef } from './artifact-store.ts';
import { guessContentType } from './content-type.ts';

/** Of one upload; with the usual parts of 10 MiB, 97 GiB. Longer lists would not fit into a request. */
export const maxParts = 10_000;

/** Long enough for the largest upload over a slow line. */
const uploadUrlMs = 6 * 3_600_000;
const downloadUrlMs = 3_600_000;

export interface StartedUpload {
  readonly uploadId: string;
  /** One for each part, in order: each takes its bytes by PUT. */
  readonly urls: readonly string[];
}

export interface SignedDownload {
  readonly url: string;
  readonly sizeBytes: number;
}

export interface SignedAccessDeps {
  readonly blobs: BlobStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly ids: Ids;
  /** False where callers cannot reach the storage account. */
  readonly isEnabled: boolean;
}

/**
 * Bytes that do not pass through the platform: callers get signed URLs of the storage account and speak to it
 * themselves.
 */
export class SignedAccess {
  readonly #deps: SignedAccessDeps;

  constructor(deps: SignedAccessDeps) {
    this.#deps = deps;
  }

  get isEnabled(): boolean {
    return this.#deps.isEnabled;
  }

  /**
   * Begins an upload in parts. Nothing is there before `completeUpload`; parts of an upload that is never completed
   * are forgotten by the storage account after a week.
   *
   * @throws INVALID_ARGUMENT outside 1–10,000 parts; NOT_IMPLEMENTED
   */
  async startUpload(path: string, partCount: number): Promise<StartedUpload> {
    this.#checkEnabled('Multipart upload');
    if (!Number.isInteger(partCount) || partCount < 1 || partCount > maxParts)
      throw new AppError('INVALID_ARGUMENT', `An upload has 1–${maxParts} parts: make them larger.`, {
        partCount,
      });
    const uploadId = this.#deps.ids.uuid();
    const blockIds = Array.from({ length: partCount }, (_, index) => toBlockId(uploadId, index + 1));
    const expiresAt = this.#deps.clock.now() + uploadUrlMs;
    try {
      const urls = await this.#deps.blobs.presignBlocks(toRef(path), blockIds, { expiresAt });
      return { uploadId, urls };
    } catch (error) {
      throw isAppError(error, 'NOT_IMPLEMENTED') ? notSupported('Multipart upload', error) : error;
    }
  }

  /**
   * Makes the file of the parts that were sent, in the order of their numbers. Can be repeated.
   *
   * @throws INVALID_ARGUMENT for parts that are not there, or for an upload that is none
   */
  async completeUpload(path: string, uploadId: string, partNumbers: readonly number[]): Promise<void> {
    if (!/^[0-9a-f-]{36}$/.test(uploadId))
      throw new AppError('INVALID_ARGUMENT', 'This is not the id of an upload.', { uploadId });
    const numbers = [...new Set(partNumbers)].sort((a, b) => a - b);
    const isKnown = (number: number) => Number.isInteger(number) && number >= 1 && number <= maxParts;
    if (numbers.length === 0 || numbers.length !== partNumbers.length || !numbers.every(isKnown))
      throw new AppError('INVALID_ARGUMENT', `The parts of an upload have distinct numbers, 1–${maxParts}.`);
    const blockIds = numbers.map((number) => toBlockId(uploadId, number));
    try {
      await this.#deps.blobs.commitBlocks(toRef(path), blockIds, { contentType: guessContentType(path) });
    } catch (error) {
      if (!isAppError(error, 'INVALID_ARGUMENT')) throw error;
      throw new AppError(
        'INVALID_ARGUMENT',
        'Parts of this upload are missing: they were not sent, or another upload to the same path came first. Upload the file again.',
        error.details,
        error,
      );
    }
  }

  /** @throws NOT_FOUND; INVALID_ARGUMENT when it is a folder; NOT_IMPLEMENTED */
  async signDownload(path: string, lifetimeMs = downloadUrlMs): Promise<SignedDownload> {
    this.#checkEnabled('Presigned download');
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

  /** A URL that takes a whole file by PUT. @throws NOT_IMPLEMENTED */
  async signUpload(path: string, lifetimeMs: number): Promise<string> {
    this.#checkEnabled('Presigned upload');
    const expiresAt = this.#deps.clock.now() + lifetimeMs;
    return this.#deps.blobs.presign(toRef(path), { access: 'write', expiresAt });
  }

  #checkEnabled(what: string): void {
    if (!this.isEnabled) throw notSupported(what);
  }
}

/** MLflow's clients know these words, and send the file to the platform instead. */
function notSupported(what: string, cause?: unknown): AppError {
  return new AppError(
    'NOT_IMPLEMENTED',
    `${what} is not supported for the current artifact repository`,
    {},
    cause,
  );
}

/** Ids of one length, different for every upload: parts of two uploads to one path never mix. */
function toBlockId(uploadId: string, partNumber: number): string {
  return `${uploadId}-${String(partNumber).padStart(5, '0')}`;
}
