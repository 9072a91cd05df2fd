/**
 * Large bytes. One adapter: Azure Blob storage (Azurite when local). Bodies stream both ways; nothing is held
 * whole in memory.
 *
 * Errors: NOT_FOUND, ALREADY_EXISTS (put-if-absent lost), PRECONDITION_FAILED (stale ETag, or a lease is held by
 * someone else), INVALID_ARGUMENT (a name the service refuses), RATE_LIMITED, UNAVAILABLE, TIMEOUT,
 * INSUFFICIENT_STORAGE. An outage never reads as "missing", nor does a container that is not there: to `head` and
 * `delete`, too, that is NOT_FOUND.
 */
export interface BlobStore {
  /** Creates the containers that are not there yet. In Azure they are declared in Bicep; this then only checks. */
  ensureContainers(names: readonly string[]): Promise<void>;
  put(ref: BlobRef, body: BlobBody, options?: PutOptions): Promise<BlobProperties>;
  /** @throws NOT_FOUND; PRECONDITION_FAILED with `ifMatch`; INVALID_ARGUMENT for a range past the end */
  open(ref: BlobRef, options?: OpenOptions): Promise<OpenedBlob>;
  /** @returns undefined when there is no such blob. @throws NOT_FOUND when its container is not there */
  head(ref: BlobRef): Promise<BlobProperties | undefined>;
  /** @returns whether there was one to delete. @throws NOT_FOUND when its container is not there */
  delete(ref: BlobRef, options?: { readonly ifMatch?: string }): Promise<boolean>;
  /**
   * Makes it young again: another ETag and time of the last change, all else as it was. Whoever deletes by an older
   * ETag, or by age, no longer does.
   *
   * @returns false when there is no such blob. @throws NOT_FOUND when its container is not there
   */
  touch(ref: BlobRef): Promise<boolean>;
  /** One page in name order. `limit` 1–5,000; a page can be short, or even empty, and still carry a cursor. */
  list(
    container: string,
    options: { readonly prefix?: string; readonly cursor?: string; readonly limit: number },
  ): Promise<BlobPage>;
  /**
   * One page of what lies directly under a prefix, in name order: blobs, and folders, the prefixes of what lies
   * deeper. `limit` counts both; otherwise like `list`.
   *
   * @param options.prefix empty, or ending in a slash
   */
  listFolder(
    container: string,
    options: { readonly prefix: string; readonly cursor?: string; readonly limit: number },
  ): Promise<FolderPage>;
  /**
   * A URL by which anyone who holds it can read this blob, or write it whole or in blocks, until it expires. Nothing
   * is asked of the blob itself: it need not be there.
   *
   * @throws INVALID_ARGUMENT for a time that is past or over 7 days away; NOT_IMPLEMENTED where this account's
   *   credential may not give such URLs
   */
  presign(ref: BlobRef, options: PresignOptions): Promise<string>;
  /**
   * For each block id, a URL that takes the block's bytes by PUT, without further headers: what `stageBlock` does, by
   * whoever holds the URL. Errors as of `presign`.
   */
  presignBlocks(
    ref: BlobRef,
    blockIds: readonly string[],
    options: { readonly expiresAt: number },
  ): Promise<readonly string[]>;
  /** Uploads one block of a blob that `commitBlocks` will make; block ids are any strings of one length. */
  stageBlock(ref: BlobRef, blockId: string, body: Uint8Array): Promise<void>;
  commitBlocks(ref: BlobRef, blockIds: readonly string[], options?: PutOptions): Promise<BlobProperties>;
  /**
   * Exclusive write access to an existing blob for 15–60 whole seconds, to be renewed before they are over.
   *
   * @throws NOT_FOUND; PRECONDITION_FAILED when someone else holds it
   */
  acquireLease(ref: BlobRef, durationSeconds: number): Promise<BlobLease>;
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
