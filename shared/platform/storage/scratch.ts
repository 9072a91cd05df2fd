import type { BlobRef } from './blobs.ts';

/** Temporary files and folders, for libraries that need them; removed when disposed. */
export interface Scratch extends ScratchFiles, ScratchFolders {}

export interface ScratchFiles {
  /**
   * Downloads a blob to a local file and hashes it.
   *
   * @throws NOT_FOUND, PRECONDITION_FAILED with `ifMatch`, PAYLOAD_TOO_LARGE, INSUFFICIENT_STORAGE; INVALID_ARGUMENT
   *   for a path in `beside` that leaves the folder or exists
   */
  download(ref: BlobRef, options: DownloadOptions): Promise<ScratchFile>;
}

export interface ScratchFolders {
  /** Creates an empty folder; removed with its contents when disposed. @throws INSUFFICIENT_STORAGE */
  openFolder(): Promise<ScratchFolder>;
}

export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

export interface DownloadOptions {
  readonly maxBytes: number;
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
  /** Downloads into the folder of an earlier file, under this relative path. Removed with that file. */
  readonly beside?: { readonly file: ScratchFile; readonly path: string };
}

export interface ScratchFile extends AsyncDisposable {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}
