import type { BlobRef } from './blobs.ts';

/** Files and folders of this machine, for libraries that need them; removed when disposed. */
export interface Scratch extends ScratchFiles, ScratchFolders {}

export interface ScratchFiles {
  /**
   * Copies a blob to a local file, hashing as it goes.
   *
   * @throws NOT_FOUND, PRECONDITION_FAILED (another content than `ifMatch`), PAYLOAD_TOO_LARGE, INSUFFICIENT_STORAGE;
   *   INVALID_ARGUMENT for a path beside another file that leaves its folder, or is taken
   */
  download(ref: BlobRef, options: DownloadOptions): Promise<ScratchFile>;
}

export interface ScratchFolders {
  /** An empty folder; removed with its contents when disposed. @throws INSUFFICIENT_STORAGE */
  openFolder(): Promise<ScratchFolder>;
}

export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

export interface DownloadOptions {
  readonly maxBytes: number;
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
  /** Puts it into the folder of an earlier file, under this path from there. It is removed with that file. */
  readonly beside?: { readonly file: ScratchFile; readonly path: string };
}

export interface ScratchFile extends AsyncDisposable {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}
