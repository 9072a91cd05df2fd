/**
 * Large files. Adapter: Azure Blob storage, and Azurite locally. Bodies stream both ways and are never held whole in
 * memory. Each role is a separate port: depend on the roles you use.
 *
 * Errors of all roles: NOT_FOUND (`blobErrors` distinguishes a blob from its container), ALREADY_EXISTS (with
 * `ifAbsent`), PRECONDITION_FAILED (stale ETag, or another client holds the lease), INVALID_ARGUMENT (an invalid name),
 * RATE_LIMITED, UNAVAILABLE, TIMEOUT, INSUFFICIENT_STORAGE. An outage never reads as "missing", nor does a missing
 * container: `head` and `delete` throw NOT_FOUND for it.
 */
export interface BlobStore
  extends
    BlobReader,
    BlobWriter,
    BlobRenewer,
    BlobRemover,
    BlobLister,
    BlobFolders,
    BlobBlocks,
    BlobSigner,
    BlobLeases,
    BlobAccount {}

export interface BlobReader {
  /** @throws NOT_FOUND; PRECONDITION_FAILED with `ifMatch`; INVALID_ARGUMENT for a range past the end */
  open(ref: BlobRef, options?: OpenOptions): Promise<OpenedBlob>;
  /** @returns undefined when the blob is missing. @throws NOT_FOUND when its container is missing */
  head(ref: BlobRef): Promise<BlobProperties | undefined>;
}

export interface BlobWriter {
  put(ref: BlobRef, body: BlobBody, options?: PutOptions): Promise<BlobProperties>;
}

export interface BlobRenewer {
  /**
   * Gives a blob a new ETag and last-modified time and changes nothing else. A deletion by the old ETag, or by age,
   * then spares it.
   *
   * @returns false when the blob is missing. @throws NOT_FOUND when its container is missing
   */
  touch(ref: BlobRef): Promise<boolean>;
}

export interface BlobRemover {
  /** @returns false for a missing blob. @throws NOT_FOUND when its container is missing */
  delete(ref: BlobRef, options?: { readonly ifMatch?: string }): Promise<boolean>;
}

export interface BlobLister {
  /** Lists one page in name order. `limit` is 1–5,000. A page can be short or empty and still have a cursor. */
  list(
    container: string,
    options: { readonly prefix?: string; readonly cursor?: string; readonly limit: number },
  ): Promise<BlobPage>;
}

export interface BlobFolders {
  /**
   * Lists one page of the blobs and subfolders directly under a prefix, in name order. `limit` counts both.
   *
   * @param options.prefix empty, or ending with a slash
   */
  listFolder(
    container: string,
    options: { readonly prefix: string; readonly cursor?: string; readonly limit: number },
  ): Promise<FolderPage>;
}

/** Writes a blob in blocks. */
export interface BlobBlocks {
  /** Uploads one block for `commitBlocks`. The block ids of a blob must have the same length. */
  stageBlock(ref: BlobRef, blockId: string, body: Uint8Array): Promise<void>;
  commitBlocks(ref: BlobRef, blockIds: readonly string[], options?: PutOptions): Promise<BlobProperties>;
}

export interface BlobSigner {
  /**
   * Signs a URL that allows reading the blob, or writing it whole or in blocks, until it expires. The blob need not
   * exist.
   *
   * @throws INVALID_ARGUMENT for a time in the past or more than 7 days ahead; NOT_IMPLEMENTED when the credential of
   *   this account cannot sign
   */
  presign(ref: BlobRef, options: PresignOptions): Promise<string>;
  /**
   * Signs a URL per block id that accepts the block's bytes by PUT without further headers, like `stageBlock`. Errors
   * as for `presign`.
   */
  presignBlocks(
    ref: BlobRef,
    blockIds: readonly string[],
    options: { readonly expiresAt: number },
  ): Promise<readonly string[]>;
}

export interface BlobLeases {
  /**
   * Acquires exclusive write access to an existing blob for 15–60 seconds. Renew it before it expires.
   *
   * @throws NOT_FOUND; PRECONDITION_FAILED when another client holds the lease
   */
  acquireLease(ref: BlobRef, durationSeconds: number): Promise<BlobLease>;
}

export interface BlobAccount {
  /** Creates missing containers. In Azure, Bicep declares them, so this finds them all. */
  ensureContainers(names: readonly string[]): Promise<void>;
  /** A cheap request for health checks. @throws UNAVAILABLE */
  ping(): Promise<void>;
}

export interface BlobRef {
  readonly container: string;
  readonly name: string;
}

export type BlobBody = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface PutOptions {
  readonly contentType?: string;
  /** The service requires identifiers as names and ASCII values. Reads return names in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Writes only when the blob does not exist. @throws ALREADY_EXISTS */
  readonly ifAbsent?: boolean;
  /** Writes only over this ETag. @throws PRECONDITION_FAILED */
  readonly ifMatch?: string;
  readonly leaseId?: string;
}

export interface OpenOptions {
  /** The first byte and the number of bytes; default: to the end. */
  readonly range?: { readonly offset: number; readonly count?: number };
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface BlobProperties {
  readonly ref: BlobRef;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds since the Unix epoch. */
  readonly lastModified: number;
}

export interface OpenedBlob {
  readonly properties: BlobProperties;
  /**
   * The bytes of the range; can be read once. Resumes broken connections; throws PRECONDITION_FAILED when the blob
   * changed during the read. Read it to its end, leave its loop, or abort: an unread body keeps its connection open.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface BlobPage {
  readonly blobs: readonly BlobProperties[];
  readonly cursor?: string;
}

export interface FolderPage {
  readonly blobs: readonly BlobProperties[];
  /** Each ends with a slash. */
  readonly folders: readonly string[];
  readonly cursor?: string;
}

export interface PresignOptions {
  readonly access: 'read' | 'write';
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** For reads: overrides the headers of the answer. */
  readonly contentType?: string;
  readonly contentDisposition?: string;
}

export interface BlobLease {
  readonly id: string;
  renew(): Promise<void>;
  release(): Promise<void>;
}
