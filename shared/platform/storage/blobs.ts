/**
 * Large bytes. One adapter: Azure Blob storage (Azurite when local). Bodies stream both ways; no body is held whole in
 * memory. Each role is a port of its own: take the roles you use.
 *
 * Errors of all roles: NOT_FOUND (`blobErrors` tells a blob from its container), ALREADY_EXISTS (put-if-absent lost),
 * PRECONDITION_FAILED (stale ETag, or another holder has a lease), INVALID_ARGUMENT (a name the service refuses),
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
   * Renews a blob: another ETag and time of the last change, all else as before. A deletion by the older ETag, or by
   * age, then spares it.
   *
   * @returns false when the blob is missing. @throws NOT_FOUND when its container is missing
   */
  touch(ref: BlobRef): Promise<boolean>;
}

export interface BlobRemover {
  /** @returns whether there was a blob to delete. @throws NOT_FOUND when its container is missing */
  delete(ref: BlobRef, options?: { readonly ifMatch?: string }): Promise<boolean>;
}

export interface BlobLister {
  /** One page in name order. `limit` 1–5,000; a page can be short, or even empty, and still carry a cursor. */
  list(
    container: string,
    options: { readonly prefix?: string; readonly cursor?: string; readonly limit: number },
  ): Promise<BlobPage>;
}

export interface BlobFolders {
  /**
   * One page of what is directly under a prefix, in name order: blobs, and folders, the prefixes of what is deeper.
   * `limit` counts both; otherwise like `list`.
   *
   * @param options.prefix empty, or ending in a slash
   */
  listFolder(
    container: string,
    options: { readonly prefix: string; readonly cursor?: string; readonly limit: number },
  ): Promise<FolderPage>;
}

/** Writes a blob in blocks. */
export interface BlobBlocks {
  /** Uploads one block of a blob that `commitBlocks` will make; block ids are any strings of one length. */
  stageBlock(ref: BlobRef, blockId: string, body: Uint8Array): Promise<void>;
  commitBlocks(ref: BlobRef, blockIds: readonly string[], options?: PutOptions): Promise<BlobProperties>;
}

export interface BlobSigner {
  /**
   * A URL whose holder can read this blob, or write it whole or in blocks, until it expires. The blob need not exist.
   *
   * @throws INVALID_ARGUMENT for a time that is past or over 7 days ahead; NOT_IMPLEMENTED where this account's
   *   credential may not sign
   */
  presign(ref: BlobRef, options: PresignOptions): Promise<string>;
  /**
   * For each block id, a URL that takes the block's bytes by PUT, without further headers: `stageBlock` for the holder
   * of the URL. Errors as of `presign`.
   */
  presignBlocks(
    ref: BlobRef,
    blockIds: readonly string[],
    options: { readonly expiresAt: number },
  ): Promise<readonly string[]>;
}

export interface BlobLeases {
  /**
   * Exclusive write access to an existing blob for 15–60 whole seconds, to be renewed before they are over.
   *
   * @throws NOT_FOUND; PRECONDITION_FAILED when another holder has it
   */
  acquireLease(ref: BlobRef, durationSeconds: number): Promise<BlobLease>;
}

export interface BlobAccount {
  /** Creates the containers that are missing. In Azure they are declared in Bicep; there this only checks. */
  ensureContainers(names: readonly string[]): Promise<void>;
  /** Cheap proof of life for health checks. @throws UNAVAILABLE */
  ping(): Promise<void>;
}

export interface BlobRef {
  readonly container: string;
  readonly name: string;
}

export type BlobBody = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface PutOptions {
  readonly contentType?: string;
  /** Names are C# identifiers, values ASCII: the service's rule. Names come back in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Only when nothing is there yet. @throws ALREADY_EXISTS */
  readonly ifAbsent?: boolean;
  /** Only over this ETag. @throws PRECONDITION_FAILED */
  readonly ifMatch?: string;
  readonly leaseId?: string;
}

export interface OpenOptions {
  /** First byte, and how many (to the end when left out). */
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
   * The bytes of the range, once. A connection that breaks is resumed; a blob that changed meanwhile is
   * PRECONDITION_FAILED. Read it to its end, leave its loop, or fire the signal: untouched, it keeps a connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface BlobPage {
  readonly blobs: readonly BlobProperties[];
  readonly cursor?: string;
}

export interface FolderPage {
  readonly blobs: readonly BlobProperties[];
  /** Each ends in a slash. */
  readonly folders: readonly string[];
  readonly cursor?: string;
}

export interface PresignOptions {
  readonly access: 'read' | 'write';
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** For reads: what the answer's headers say, whatever the blob's own do. */
  readonly contentType?: string;
  readonly contentDisposition?: string;
}

export interface BlobLease {
  readonly id: string;
  renew(): Promise<void>;
  release(): Promise<void>;
}
