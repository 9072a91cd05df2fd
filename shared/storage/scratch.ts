import type { BlobRef } from './blobs.ts';

/** Files of this machine, for libraries that need one; removed when disposed. */
export interface Scratch {
  /**
   * Copies a blob to a local file, hashing as it goes.
   *
   * @throws NOT_FOUND, PRECONDITION_FAILED (another content than `ifMatch`), PAYLOAD_TOO_LARGE, INSUFFICIENT_STORAGE
   */
  download(
    ref: BlobRef,
    options: { readonly maxBytes: number; readonly ifMatch?: string; readonly signal?: AbortSignal },
  ): Promise<ScratchFile>;
}

export interface ScratchFile extends AsyncDisposable {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}
